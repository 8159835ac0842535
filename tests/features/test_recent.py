"""Recent texts are read once, and old ones are let go."""

from __future__ import annotations

import random
import tracemalloc

from agentcal.features._recent import _EACH, _ROOM, Recent
from agentcal.features._text import LIMIT, Digest, digest

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def test_a_text_is_made_once_while_it_is_asked_for() -> None:
    made: list[str] = []
    recent: Recent[str] = Recent(lambda text: made.append(text) or text.upper())
    filler = [f"{i:04}" + "x" * 996 for i in range(2 * _ROOM // (1000 + _EACH))]
    for text in filler:
        assert recent.get("often") == "OFTEN"
        assert recent.get(text) == text.upper()
    assert made.count("often") == 1


def test_what_is_not_asked_for_is_dropped() -> None:
    made: list[str] = []
    recent: Recent[str] = Recent(lambda text: made.append(text) or text)
    recent.get("once")
    for i in range(3 * _ROOM // _EACH):
        recent.get(str(i))
    recent.get("once")
    assert made.count("once") == 2


def test_a_digest_that_comes_again_says_what_a_fresh_one_says() -> None:
    text = "Paid 12.50 to bob@x.org; it's done"
    again, fresh = digest(text), Digest(text)
    assert digest(text) is again
    assert (again.tokens, again.bag, again.digits) == (fresh.tokens, fresh.bag, fresh.digits)
    long = "a " * LIMIT
    assert digest(long) is not digest(long)


def random_text(rng: random.Random, words: int) -> str:
    return " ".join("".join(rng.choices(LETTERS, k=rng.randint(2, 8))) for _ in range(words))


def test_digests_of_texts_without_a_word_twice_stay_in_bounds() -> None:
    rng = random.Random(0)
    recent = Recent(Digest)
    tracemalloc.start()
    try:
        before, most = tracemalloc.get_traced_memory()[0], 0
        for _ in range(900):
            read = recent.get(random_text(rng, 150))
            assert read.tokens is read.tokens
            assert len(read.bag) + len(read.entities) + len(read.digits) + len(read.words) > 0
            most = max(most, tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert most < 35e6
