"""Words of one party that reject what another has said or done. English only."""

from __future__ import annotations

from agentcal.features._lexicon import Lexicon
from agentcal.features._text import Digest

# "wrong" alone is left out: "something went wrong" objects to nobody.
_OBJECTIONS = Lexicon(
    objections="incorrect|incorrectly|is wrong|are wrong|was wrong|were wrong|that's wrong"
    "|it's wrong|you're wrong|wrong answer|wrong result|wrong one|mistake|mistaken|disagree"
    "|inaccurate|flawed|contradict|contradicts|contradiction|contradictory|inconsistent"
    "|not correct|isn't correct|not right|isn't right|not true|isn't true|not accurate|not valid"
    "|does not match|doesn't match|do not match|don't match|reject|rejected|rejecting|disapprove"
    "|unacceptable|not acceptable|unsupported|not supported|cannot confirm|can't confirm"
    "|are you sure|double check|recheck|re check|verify again|reconsider|on the contrary"
    "|that's not|not what i|not what was|already told|already said|i told you|still missing"
    "|you missed|you forgot|you overlooked|you didn't|you did not",
)


def objects(text: Digest) -> bool:
    """Whether a text rejects, doubts or contradicts what it answers."""
    return _OBJECTIONS.count(text)[0] > 0
