"""Words of probability as numbers: linguistic confidence."""

from __future__ import annotations

from agentcal.features._text import Digest

# For each word that anchors some: expressions with it, the first that occurs counts, and its value.
# Values are the medians of 238 science writers in Mosteller and Youtz, "Quantifying Probabilistic
# Expressions", Statistical Science 5(1), 1990; "believe" and "doubt" those of the survey kept at
# github.com/zonination/perceptions. An expression that neither asked about has the value of its
# nearest synonym: might happen for "not sure", high probability for "confident". Left out are
# "certainly", "may" and "possible" alone: courtesy, permission, ability.
_VALUES = {
    "certain": "almost certain=.902|nearly certain=.902|not certain=.376|i'm certain=.996"
    "|i am certain=.996|absolutely certain=.996|completely certain=.996",
    "certainly": "almost certainly=.902",
    "definitely": "definitely not=.003|definitely=.996",
    "undoubtedly": "undoubtedly=.996",
    "doubt": "no doubt=.996|without doubt=.996|without a doubt=.996|i doubt=.2|we doubt=.2",
    "doubtful": "doubtful=.2",
    "sure": "not sure=.376|not entirely sure=.376|not completely sure=.376|pretty sure=.875"
    "|fairly sure=.875|quite sure=.875|i'm sure=.902|i am sure=.902",
    "unsure": "unsure=.376",
    "uncertain": "uncertain=.376",
    "likely": "not likely=.172|very likely=.875|highly likely=.875|most likely=.875"
    "|extremely likely=.875|likely=.711",
    "unlikely": "very unlikely=.05|highly unlikely=.05|extremely unlikely=.05|unlikely=.172",
    "probably": "probably not=.172|very probably=.897|probably=.702",
    "probable": "very probable=.897|probable=.702",
    "improbable": "improbable=.125",
    "presumably": "presumably=.702",
    "possible": "it is possible=.385|it's possible=.385",
    "possibly": "possibly=.385",
    "perhaps": "perhaps=.385",
    "maybe": "maybe=.385",
    "might": "might=.376",
    "may": "may be=.376|may have=.376",
    "could": "could be=.376",
    "believe": "don't believe=.2|do not believe=.2|i believe=.75|we believe=.75",
    "think": "don't think=.2|do not think=.2|i think=.75|we think=.75",
    "confident": "not confident=.15|not very confident=.15|somewhat confident=.524"
    "|moderately confident=.524|very confident=.925|highly confident=.925|confident=.823",
    "confidence": "very high confidence=.925|high confidence=.823|confidence high=.823"
    "|medium confidence=.524|moderate confidence=.524|confidence medium=.524"
    "|low confidence=.15|confidence low=.15",
    "chance": "even chance=.5|good chance=.804|high chance=.804|little chance=.098"
    "|small chance=.098|low chance=.098",
    "probability": "very high probability=.925|high probability=.823|low probability=.15",
}


def _entries(text: str) -> list[tuple[str, float]]:
    pairs = (entry.split("=") for entry in text.split("|"))
    return [(f" {phrase} ", float(value)) for phrase, value in pairs]


_EXPRESSIONS = {anchor: _entries(entries) for anchor, entries in _VALUES.items()}
_ANCHORS = frozenset(_EXPRESSIONS)


def spoken_in(text: Digest) -> float | None:
    """Mean value in (0, 1) of the words of probability in a text, ``None`` where it has none."""
    bag = text.bag
    if _ANCHORS.isdisjoint(bag):
        return None
    flat = text.flat
    values = []
    for anchor in _ANCHORS & bag:
        for phrase, value in _EXPRESSIONS[anchor]:
            if phrase in flat:
                values.append(value)
                break
    return sum(sorted(values)) / len(values) if values else None
