"""The one pass over a text, against the plain regular expressions that define it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentcal.features._lexicon import Lexicon
from agentcal.features._text import LIMIT, Digest, canonical

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
TOKEN = re.compile(r"[^\s,;()\[\]{}\"'`<>=|*!?]+")
PIECES = st.sampled_from(
    ["don't", "don’t", "'quoted'", "98.70", "£5.10", "a@b.org", "2024-05-09", "007", "Größe"]
)
TEXT = st.lists(st.text(max_size=12) | PIECES, max_size=12).map(" ".join)


@given(TEXT)
@example("a\ud800b c’d ''y'z''\x00\u2028tail")
def test_words_and_tokens_are_those_of_their_regular_expressions(text: str) -> None:
    digest = Digest(text)
    low = text.lower()
    assert digest.words == WORD.findall(low.replace("’", "'"))
    assert digest.bag == set(digest.words)
    tokens = {canonical(token) for token in TOKEN.findall(low)} - {""}
    assert digest.tokens == tokens
    assert digest.entities == {t for t in tokens if len(t) > 1 and not t.isalpha()}
    assert digest.digits == {d.lstrip("0") or "0" for d in re.findall("[0-9]+", low)}
    assert digest.holds(b"'o9") == sum(c in "'o9" for c in low)


def test_numbers_addresses_and_dates_are_tokens() -> None:
    digest = Digest('Pay "£98.70" to bob@x.org on 2024-05-09 (ref: A-17).')
    assert digest.entities == {"98.7", "bob@x.org", "2024-05-09", "a-17"}
    assert digest.digits == {"98", "70", "2024", "5", "9", "17"}
    assert digest.words[:2] == ["pay", "to"]


def test_phrases_match_across_punctuation_and_lines_and_only_whole_words() -> None:
    lexicon = Lexicon(a="not found|nothing", b="could be|found")
    assert lexicon.names == ("a", "b")
    assert lexicon.count(Digest("It was not\n   found.")) == (1, 1)
    assert lexicon.count(Digest("Nothing; nothing could. Be it so")) == (1, 1)
    assert lexicon.count(Digest("knot founded, nothings")) == (0, 0)
    assert lexicon.count(Digest("")) == (0, 0)


@pytest.mark.parametrize("text", ["a1 " * 4_000_000, "x" * 12_000_000, "'" * 12_000_000])
def test_a_long_text_costs_what_its_looked_at_part_costs(text: str) -> None:
    digest = Digest(text)
    start = time.process_time()
    assert len(digest.words) + len(digest.tokens) + len(digest.entities) <= LIMIT
    assert digest.size == len(text)
    assert time.process_time() - start < 0.5
