"""A real model from end to end: served, run as an agent, recorded, learnt from, scored live."""

from __future__ import annotations

import argparse
import os
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langgraph.errors import GraphRecursionError
from local_model import served
from teller import accounts, request, teller

import agentcal as ac
from agentcal.recorder import QuietObserver, Recorder, RunInfo
from agentcal.sinks import JsonlSink
from agentcal.testing import ledger_tools
from agentcal_langgraph import CalibrationCallbackHandler


def handle(number: int, model: BaseChatModel, recorder: Recorder) -> bool:
    """Serve a customer. Says whether the request was fulfilled."""
    wanted, ledger = request(number), accounts()
    config: Any = {
        "callbacks": [CalibrationCallbackHandler(recorder, group=wanted.text)],
        "metadata": {"customer": number},
        "recursion_limit": 8,
    }
    agent = teller(model, ledger_tools(ledger)[:2])
    try:
        messages = agent.invoke({"messages": [("user", wanted.text)]}, config)["messages"]
    except GraphRecursionError:
        return False
    return wanted.fulfilled(ledger, messages[-1].text)


def learnt_from(path: Path, right: dict[int, bool]) -> ac.Calibrator:
    """A calibrator from the recorded runs and what came of them."""
    runs = list(ac.load(path, progress=False))
    for run in runs:
        customer = run.metadata["customer"]
        assert isinstance(customer, int)
        value = float(right[customer])
        run.outcome = ac.Outcome(value=value, source="books", at=datetime.now(UTC))
    ac.write_jsonl(runs, path.with_name("labelled.jsonl"))
    return ac.fit(runs, folds=2, nested=False, progress=False)


class Narrator(QuietObserver):
    """Prints each turn, how sure the model was of its tokens, and the confidence."""

    def started(self, run: RunInfo) -> None:
        print(f"\n{run.task}")

    def replied(
        self, run: RunInfo, turn: int, step: ac.Step, confidence: ac.Confidence | None
    ) -> None:
        proposed = ", ".join(f"{c.name}({c.arguments or c.raw_arguments})" for c in step.tool_calls)
        known = [] if step.logprobs is None else step.logprobs.logprobs
        least = min((value for value in known if value is not None), default=float("nan"))
        print(f"  turn {turn}  {confidence}  {len(known)} tokens, least sure {least:.1f} nats")
        print(f"          {proposed or step.text!r}")


def run(model: BaseChatModel, out: Path, many: int) -> None:
    """Record ``many`` runs, learn from them, and score a few more while they happen."""
    log = out / "runs.jsonl"
    log.unlink(missing_ok=True)
    with Recorder(sinks=[JsonlSink(log)]) as recorder:
        right = {number: handle(number, model, recorder) for number in range(many)}
    print(f"{many} runs in {log}, {sum(right.values())} of them right")
    calibrator = learnt_from(log, right)
    calibrator.save(out / "teller.json")
    print(calibrator.report)
    with Recorder(calibrator, observers=[Narrator()]) as recorder:
        for number in range(10_000, 10_000 + max(many // 6, 2)):
            print(f"  fulfilled: {handle(number, model, recorder)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("real-model"))
    parser.add_argument("--runs", type=int, default=48, help="how many to learn from")
    parser.add_argument("--gguf", type=Path, help="another model than SmolLM2-135M-Instruct")
    parser.add_argument("--model", default="local", help="its name, for a server of your own")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    elsewhere = os.environ.get("OPENAI_BASE_URL")
    here = served(given.gguf, threads=given.threads)
    with nullcontext(elsewhere) if elsewhere else here as base_url:
        model = ChatOpenAI(
            model=given.model,
            base_url=base_url,
            api_key=os.environ.get("OPENAI_API_KEY", "none"),  # type: ignore[arg-type]
            logprobs=True,
            top_logprobs=3,
            temperature=0,
            max_tokens=64,
        )
        run(model, given.out, given.runs)


if __name__ == "__main__":
    main()
