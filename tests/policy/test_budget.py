"""The review budget: its caps hold for any stream, and it is spent on the least sure first."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentcal.errors import ConfigError
from agentcal.policy import (
    Always,
    BudgetLedger,
    MemoryLedger,
    Policy,
    Request,
    ReviewBudget,
    SqliteLedger,
    Verdict,
)

from .worlds import gated, target, turn_of

STEPS = st.tuples(st.none() | st.floats(0, 1), st.booleans())
TURNS = st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=1, max_size=30)
BUDGETS = st.builds(
    ReviewBudget,
    st.floats(0.001, 1) | st.sampled_from([0.1, 0.3, 0.5, 1.0]),
    st.integers(1, 40),
)


def requested(turns: Sequence[Sequence[tuple[float | None, bool]]]) -> list[list[Request]]:
    return [
        [Request(f"run/{t}/{i}", value, ask) for i, (value, ask) in enumerate(turn)]
        for t, turn in enumerate(turns)
    ]


def flat(answers: Sequence[Sequence[bool]]) -> list[bool]:
    return [answer for turn in answers for answer in turn]


def check_caps(budget: ReviewBudget, asked: Sequence[bool]) -> None:
    """Both promises of the docstring, in exact arithmetic."""
    share = Fraction(budget.share)
    full = max(Fraction(1), share * budget.window)
    # Prefix sums of questions less earnings: no stretch may rise by more than a full bucket.
    level, lowest = Fraction(0), Fraction(0)
    for n, question in enumerate(asked, 1):
        level += int(question) - share
        assert level <= 1, f"more than 1 + share * {n} of the first {n}"
        assert level - lowest <= full, f"a stretch that ends at {n}"
        lowest = min(lowest, level)


@given(budget=BUDGETS, turns=TURNS)
@example(ReviewBudget(0.25, 2), [[(0.1, True)], [(0.9, True)], [(0.5, True)]])
def test_the_caps_hold_for_any_stream(budget: ReviewBudget, turns: list) -> None:
    ledger = MemoryLedger()
    answers = [ledger.grant(budget, requests) for requests in requested(turns)]
    check_caps(budget, flat(answers))
    for turn, granted in zip(turns, answers, strict=True):
        asking = [g for (_, ask), g in zip(turn, granted, strict=True) if ask]
        assert len(set(asking)) <= 1, "together or not at all"
        assert not any(g for (_, ask), g in zip(turn, granted, strict=True) if not ask)


def test_a_greedy_stream_reaches_the_cap() -> None:
    """The caps are kept by counting, not by never asking."""
    budget, ledger = ReviewBudget(0.25, 20), MemoryLedger()
    stream = requested([[(0.5, True)]] * 400)
    assert sum(flat([ledger.grant(budget, r) for r in stream])) == 1 + 400 * 0.25


def test_what_is_saved_up_in_a_calm_is_there_in_a_storm_and_no_more() -> None:
    budget, ledger = ReviewBudget(0.1, 50), MemoryLedger()
    calm, storm = [[(0.9, False)]] * 500, [[(0.1, True)]] * 30
    asked = flat([ledger.grant(budget, r) for r in requested([*calm, *storm])])[500:]
    assert sum(asked[:6]) >= 5
    assert sum(asked) <= 5 + 0.1 * 30


def test_a_missing_score_is_the_least_sure_of_all() -> None:
    budget, ledger = ReviewBudget(0.1, 100), MemoryLedger()
    stream = requested([[(0.01 * k, False)] for k in range(15)])
    for requests in stream:
        ledger.grant(budget, requests)
    assert ledger.grant(budget, [Request("a", 0.9, True)]) == [False]
    assert ledger.grant(budget, [Request("b", None, True)]) == [True]


@given(budget=BUDGETS, turns=TURNS, data=st.data())
def test_a_key_that_comes_again_gets_its_answer_and_costs_nothing(
    budget: ReviewBudget, turns: list, data: st.DataObject
) -> None:
    stream = requested(turns)
    again = data.draw(st.lists(st.sampled_from(range(len(stream))), max_size=5))
    plain, disturbed = MemoryLedger(), MemoryLedger()
    for at, requests in enumerate(stream):
        answer = plain.grant(budget, requests)
        assert disturbed.grant(budget, requests) == answer
        for earlier in again:
            if earlier <= at:
                asked = [r._replace(ask=True, value=0.0) for r in stream[earlier]]
                assert disturbed.grant(budget, asked) == plain.grant(budget, stream[earlier])


@settings(
    max_examples=25,
    # it writes to a disk
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(budget=BUDGETS, turns=TURNS)
def test_both_ledgers_count_alike(
    tmp_path_factory: pytest.TempPathFactory, budget: ReviewBudget, turns: list
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "budget.db"
    memory, file = MemoryLedger(), SqliteLedger(path)
    stream = requested(turns)
    # A turn that was known in part, and one that is known whole.
    stream += [[*stream[0], Request("new", 0.5, True)], stream[-1]]
    for at, requests in enumerate(stream):
        if at == len(stream) // 2:
            file = SqliteLedger(path)  # as another process would open it
        assert memory.grant(budget, requests) == file.grant(budget, requests)


def test_old_steps_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("_memory_ledger", "_sqlite_ledger"):
        monkeypatch.setattr(f"agentcal.policy.{module}.kept", lambda _: 50)
    budget, memory = ReviewBudget(0.1, 20), MemoryLedger()
    file = SqliteLedger(tmp_path / "budget.db")
    for requests in requested([[(0.5, True)]] * 300):
        memory.grant(budget, requests)
        file.grant(budget, requests)
    with sqlite3.connect(tmp_path / "budget.db") as database:
        count, tokens = (
            database.execute(f"SELECT count(*) FROM agentcal_{table}").fetchone()[0]  # noqa: S608
            for table in ("steps", "tokens")
        )
    assert (count, tokens) == (50, 1)
    assert len(memory._answers) == 50
    assert len(memory._recent) == len(memory._sorted) == 20


def test_threads_share_one_file(tmp_path: Path) -> None:
    budget, ledger = ReviewBudget(0.2, 30), SqliteLedger(tmp_path / "budget.db")
    stream = requested([[(0.5, True)]] * 400)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda r: ledger.grant(budget, r), stream))
    assert 0 < sum(flat(answers)) <= 1 + 0.2 * 400


BUDGET = ReviewBudget(0.1, 60)


def _hammer(path: Path, name: str, steps: int, out: multiprocessing.Queue) -> None:
    ledger = SqliteLedger(path, busy_s=60)
    rng = np.random.default_rng(len(name))
    asked = 0
    for n in range(steps):
        request = Request(f"{name}/{n}", float(rng.random()), True)
        (first,) = ledger.grant(BUDGET, [request])
        (again,) = ledger.grant(BUDGET, [request])
        assert first == again
        asked += first
    out.put(asked)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_never_exceed_the_cap_together(tmp_path: Path, start: str) -> None:
    context = multiprocessing.get_context(start)
    out = context.Queue()
    path, steps, workers = tmp_path / "budget.db", 150, 3
    processes = [
        context.Process(target=_hammer, args=(path, "x" * k, steps, out)) for k in range(workers)
    ]
    for process in processes:
        process.start()
    asked = [out.get(timeout=100) for _ in processes]
    for process in processes:
        process.join()
    cap = 1 + 0.1 * steps * workers
    assert cap / 2 < sum(asked) <= cap


def test_a_ledger_survives_a_fork(tmp_path: Path) -> None:
    budget, ledger = ReviewBudget(1.0, 1000), SqliteLedger(tmp_path / "budget.db")
    ledger.grant(budget, [Request("parent", 0.5, True)])
    child = os.fork()
    if not child:  # pragma: no cover - another process
        granted = ledger.grant(budget, [Request("child", 0.5, True)])
        os._exit(0 if granted == [True] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert ledger.grant(budget, [Request("child", 0.5, False)]) == [True], "counted by the child"
    with sqlite3.connect(tmp_path / "budget.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_was_deleted_begins_anew_for_everybody(tmp_path: Path) -> None:
    budget = ReviewBudget(0.01)
    one, other = (SqliteLedger(tmp_path / "budget.db") for _ in range(2))
    assert one.grant(budget, [Request("a", 0.5, True)]) == [True]
    for file in tmp_path.iterdir():
        file.unlink()
    assert one.grant(budget, [Request("b", 0.5, True)]) == [True]
    assert other.grant(budget, [Request("c", 0.5, True)]) == [False]


@pytest.mark.parametrize("where", ["folder", "nowhere/budget.db", "notes.txt", ":memory:"])
def test_what_cannot_be_a_ledger_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("not a database, but a long enough text " * 50)
    path = where if where == ":memory:" else tmp_path / where
    with pytest.raises(ConfigError, match=r"SQLite"):
        SqliteLedger(path)


def test_a_writer_that_never_lets_go_raises_in_time(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "budget.db", busy_s=0.05)
    with sqlite3.connect(tmp_path / "budget.db") as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            ledger.grant(ReviewBudget(0.5), [Request("a", 0.5, True)])
        database.rollback()
    assert ledger.grant(ReviewBudget(0.5), [Request("a", 0.5, True)]) == [True]


def test_names_in_any_script_can_be_counted(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "budget.db")
    for key in ("агент/1/0", "🤖", "\ud800", ""):
        assert ledger.grant(ReviewBudget(1.0), [Request(key, 0.5, True)]) == [True]


@pytest.mark.parametrize("make", [MemoryLedger, None])
def test_a_policy_counts_gated_steps_and_what_it_escalates(
    tmp_path: Path, make: Callable[[], BudgetLedger] | None
) -> None:
    ledger = SqliteLedger(tmp_path / "budget.db") if make is None else make()
    policy = gated(target(), Always(tools=("look",)), ReviewBudget(0.5, 2))
    first = policy.decide(turn_of(0.9, "save"), ledger)
    assert first.verdict is Verdict.PROCEED
    both = policy.decide(turn_of(0.1, "look", "save", turn=2), ledger)
    assert [d.verdict for d in both.decisions] == [Verdict.ABSTAIN] * 2, "1 token for 2 questions"
    assert both.decisions[0].reason.startswith("the review budget is spent; look is always")
    one = policy.decide(turn_of(0.1, "save", turn=3), ledger)
    assert one.verdict is Verdict.ESCALATE
    assert policy.decide(turn_of(0.1, "save", turn=3), ledger).verdict is Verdict.ESCALATE
    assert policy.decide(turn_of(0.1, "save", turn=4), ledger).verdict is Verdict.ABSTAIN


class FirstCome:
    """The same bucket without choosing."""

    def __init__(self) -> None:
        self.tokens = 1.0

    def grant(self, budget: ReviewBudget, requests: Sequence[Request]) -> list[bool]:
        answers = []
        for request in requests:
            self.tokens = min(max(1.0, budget.share * budget.window), self.tokens + budget.share)
            answers.append(request.ask and self.tokens >= 1)
            self.tokens -= answers[-1]
        return answers


def a_day(rng: np.random.Generator, steps: int, drift: float) -> list[tuple[float, bool]]:
    """Gated steps of many runs: (P(success), failed). Calibrated, and alike within a run."""
    day: list[tuple[float, bool]] = []
    while len(day) < steps:
        quality = rng.normal(0.9 + drift * np.sin(len(day) / 3000), 1.2)
        failed, length = None, int(rng.integers(1, 7))
        for k in range(1, length + 1):
            seen = k / length
            log_odds = 1.2 * quality * seen + 0.6 * (1 - seen) + rng.normal(0, 0.35)
            p = float(1 / (1 + np.exp(-log_odds)))
            failed = bool(rng.random() > p) if failed is None or rng.random() < 0.5 else failed
            day.append((p, failed))
    return day[:steps]


@pytest.mark.parametrize("drift", [0.0, 0.8])
@pytest.mark.parametrize(("share", "below"), [(0.05, 0.5), (0.05, 0.8), (0.02, 0.7), (0.2, 0.8)])
def test_questions_go_to_steps_that_fail_more_often(
    share: float, below: float, drift: float
) -> None:
    """At the same number of questions, and nearly as well as who knows the whole day beforehand."""
    day = a_day(np.random.default_rng(3), 6000, drift)
    budget = ReviewBudget(share)
    stream = requested([[(p, p < below)] for p, _ in day])

    def asked(ledger: BudgetLedger) -> list[int]:
        return [n for n, r in enumerate(stream) if ledger.grant(budget, r)[0]]

    chosen, first_come = asked(MemoryLedger()), asked(FirstCome())
    failing = np.array([1 - p for p, _ in day])
    best = np.sort(failing)[::-1][: len(first_come)].mean()
    ours, theirs = failing[chosen].mean(), failing[first_come].mean()
    assert 0.9 * len(first_come) <= len(chosen) <= len(first_come)
    assert ours - theirs > 0.6 * (best - theirs), (ours, theirs, best)
    really = np.array([failed for _, failed in day], dtype=float)
    assert really[chosen].mean() > really[first_come].mean()


def test_a_policy_without_a_budget_asks_as_often_as_it_must() -> None:
    policy: Policy = gated(target())
    said = [policy.decide(turn_of(0.1, "save", turn=n), MemoryLedger()) for n in range(1, 50)]
    assert all(turn.verdict is Verdict.ESCALATE for turn in said)
