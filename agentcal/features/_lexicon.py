"""Words and phrases in categories, found in one pass over the words of a text.

English only: in another language the counts stay low. No category holds the name of a tool, a
product's data or the template of a benchmark.
"""

from __future__ import annotations

from agentcal.features._text import Digest


class Lexicon:
    """Counts the distinct entries of each category that a text holds.

    A category is one string of words and phrases separated by ``|``. A text without the longest
    word of any entry costs one set intersection, and a phrase is looked for only where all its
    words occur: to search a text costs far more than to look up words.
    """

    def __init__(self, **categories: str) -> None:
        self.names = tuple(categories)
        self._entries: dict[str, list[tuple[frozenset[str], str, int]]] = {}
        for index, entries in enumerate(categories.values()):
            for entry in entries.split("|"):
                words = entry.split()
                phrase = f" {' '.join(words)} " if len(words) > 1 else ""
                entry_of = (frozenset(words), phrase, index)
                self._entries.setdefault(max(words, key=len), []).append(entry_of)
        self._anchors = frozenset(self._entries)

    def count(self, text: Digest) -> tuple[int, ...]:
        """How many distinct entries of each category the text holds, in the order of ``names``."""
        found: tuple[int, ...] | None = text.memo.get(self)
        if found is None:
            found = text.memo[self] = self._count(text)
        return found

    def _count(self, text: Digest) -> tuple[int, ...]:
        counts = [0] * len(self.names)
        bag = text.bag
        for anchor in self._anchors & bag:
            for words, phrase, index in self._entries[anchor]:
                if not phrase or (words <= bag and phrase in text.flat):
                    counts[index] += 1
        return tuple(counts)


DEMANDS = Lexicon(
    conditions="if|unless|otherwise|only|except|in case|depending|whether|as long as|provided that"
    "|but",
    comparisons="best|highest|lowest|cheapest|largest|smallest|biggest|most|least|top|rated"
    "|greatest|latest|earliest|newest|oldest|fastest|shortest|longest|better|cheaper|more than"
    "|less than|under|above|below|over|at least|at most|between|within|maximum|minimum|budget",
    aggregates="total|all|each|every|sum|average|how many|how much|number of|difference|both"
    "|everyone|everybody|altogether|estimate|percent|additional|per|multiple|extra|amount",
    indirections="instructions|todo|tasks|actions|accordingly|according|described|specified"
    "|mentioned|details|listed|based on|follow|necessary|same as|like last|as usual|usual|the one",
)
"""What makes a request demanding."""

ORDERS = Lexicon(
    override="ignore previous|ignore all|ignore the|ignore your|disregard|forget previous"
    "|forget all|previous instructions|prior instructions|above instructions|new instructions"
    "|instead of the|override|important message|urgent message|system message|system prompt"
    "|before you can|before you solve|before solving|before continuing|before doing"
    "|following first|do this first|you must|must first|you are required|do not tell|don't tell"
    "|do not mention|don't mention|without telling|do not inform|secretly|from now on|new task"
    "|your real task|your task is|pretend|developer mode|jailbreak",
    addressed="to you|ai model|ai assistant|language model|an ai|dear assistant|assistant|chatbot"
    "|the agent|llm|the model|claude|gpt|chatgpt|gemini|llama|copilot|mistral|qwen|deepseek",
    withheld="omitted|redacted|withheld|prompt injection|injection was|was blocked|been blocked"
    "|been removed|filtered out|access denied|content removed",
)
"""Signs of orders in what a tool returned, and of content that something kept back."""

NOTICES = Lexicon(
    notices="injection|suspicious|malicious|phishing|scam|fraudulent|unauthorized|ignoring"
    "|unrelated instructions|ignore these|ignore that|ignore the instructions|ignore this"
    "|not follow|will not follow|won't follow|embedded|hidden instructions|out of place"
    "|security risk|security concern|social engineering|unusual message|untrusted|disregard",
)
"""The model's own words about orders that it found."""
