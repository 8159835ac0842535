"""`agentcal certify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentcal.cli._fit import Group
from agentcal.cli._shared import (
    AsJson,
    Format,
    Model,
    SuccessAt,
    Tools,
    compared,
    declared,
    opened,
    reading,
    writable,
)

if TYPE_CHECKING:
    from agentcal.policy import Policy

_DEFAULT_CONFIDENCE = 0.95


def certify(
    model: Model,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[POLICY] RUNS...",
            help="A policy, saved or written by hand as JSON; and files, folders or globs of runs. "
            "No POLICY with --max-failure-rate or --false-alarm-rate: they make one.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "--out", "-o", metavar="FILE", help="Where to save the policy."),
    ],
    max_failure_rate: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Of the runs that proceed whole, so many may fail."),
    ] = None,
    false_alarm_rate: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Stop runs that go wrong, and so many good ones."),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help=f"Of both promises. Default: {_DEFAULT_CONFIDENCE}."),
    ] = None,
    review_share: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Ask about so many of the gated steps.")
    ] = None,
    group: Annotated[
        Group | None, typer.Option(help="What is independent. Default: as it was fitted.")
    ] = None,
    success_at: SuccessAt = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    tools: Tools = None,
    run_format: Format = "auto",
    as_json: AsJson = False,
) -> None:
    """Find the threshold at which a policy keeps its promise, on runs that nobody has learnt from.

    Runs of the fit, and others of their groups, are left out. The policy is saved either way. Ends
    with 1 where nothing could be certified: then it does what "uncertified" says at every step.
    """
    made = _made(max_failure_rate, false_alarm_rate, confidence, review_share)
    if made is None and len(paths) < 2:
        raise typer.BadParameter("give POLICY and RUNS, or RUNS and --max-failure-rate")
    writable(output, "policy")
    from agentcal.calibration import Calibrator
    from agentcal.certification import certify as certified
    from agentcal.certification import read_draft

    draft = read_draft(paths.pop(0)) if made is None else made
    calibrator = Calibrator.load(model)
    policy = certified(
        draft,
        calibrator,
        compared(declared(reading(opened(paths, run_format)), tools), calibrator),
        group=None if group is None else group.value,
        success_at=success_at,
        seed=seed,
    )
    policy.save(output)
    typer.echo(_as_json(policy, output) if as_json else _as_text(policy, output))
    if _failed(policy):
        raise typer.Exit(1)


def _made(
    max_failure_rate: float | None,
    false_alarm_rate: float | None,
    confidence: float | None,
    review_share: float | None,
) -> Policy | None:
    """The policy that the options describe, if they describe one."""
    stray = {"--confidence": confidence, "--review-share": review_share}
    given = [name for name, value in stray.items() if value is not None]
    if max_failure_rate is None and false_alarm_rate is None:
        if given:
            raise typer.BadParameter(
                f"{', '.join(given)} goes with --max-failure-rate or --false-alarm-rate; "
                "a POLICY says it itself"
            )
        return None
    from agentcal.policy import Alarm, AnyPart, Policy, ReviewBudget, RiskTarget

    sure = _DEFAULT_CONFIDENCE if confidence is None else confidence
    parts: list[AnyPart] = []
    if max_failure_rate is not None:
        parts.append(RiskTarget(max_failure_rate, sure))
    if false_alarm_rate is not None:
        parts.append(Alarm(false_alarm_rate, sure))
    if review_share is not None:
        parts.append(ReviewBudget(review_share))
    return Policy.of(*parts)


def _failed(policy: Policy) -> bool:
    return policy.certificate is not None and policy.certificate.threshold is None


def _as_json(policy: Policy, output: Path) -> str:
    made, alarm = policy.certificate, policy.alarm
    bound = None if alarm is None else alarm.bound
    return json.dumps(
        {
            "output": str(output),
            "fingerprint": policy.fingerprint,
            "certified": not _failed(policy),
            "certificate": None if made is None else made.model_dump(mode="json"),
            "alarm": None if bound is None else bound.model_dump(mode="json"),
        }
    )


def _as_text(policy: Policy, output: Path) -> str:
    return f"{policy}\n\nSaved {output}.\nNext: agentcal replay MODEL {output} OTHER_RUNS"
