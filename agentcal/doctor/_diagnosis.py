"""What a look at some runs found: plain data, printable."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from agentcal.formats import LoadReport

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Severity = Literal["blocking", "costly", "nice to have"]
"""``blocking``: nothing can be fitted. ``costly``: signals that matter are lost."""

PLAIN_WIDTH = 100


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignalShare(_Frozen):
    """How often a signal is there: in ``has`` of ``of``, which counts what ``per`` names."""

    name: str
    title: str
    per: str
    has: int
    of: int

    @property
    def share(self) -> float | None:
        """In [0, 1]; ``None`` where there was nothing that could have carried it."""
        return self.has / self.of if self.of else None


class Outcomes(_Frozen):
    """The labels. ``groups``: different tasks among the labelled runs, counted up to 10,000.

    ``success_rate`` is the share of labelled runs that reach ``success_at``; ``sources`` counts who
    said so, the most frequent ones.
    """

    labelled: int
    succeeded: int
    success_at: float
    groups: int
    sources: dict[str, int]

    @property
    def success_rate(self) -> float | None:
        """In [0, 1]; ``None`` without labels."""
        return self.succeeded / self.labelled if self.labelled else None


class Advice(_Frozen):
    """What to do: in which format, tracer or model (``any``: all), and how."""

    where: str
    how: str


class Finding(_Frozen):
    """Something that is missing or thin.

    ``about`` is a signal, or one of the other subjects in ``advice.toml``. ``needing`` counts, by
    family, the features that need the signal. ``dark`` counts those of them that have no value, or
    one and the same, at every decision point of the runs that were folded; only where no run has
    the signal. ``blank`` is the share of decision points, in [0, 1], at which the features that
    need it have no value, on average.
    """

    severity: Severity
    about: str
    what: str
    cost: str = ""
    dark: dict[str, int] = {}
    needing: dict[str, int] = {}
    blank: float | None = None
    advice: list[Advice] = []


class Arrivals(_Frozen):
    """What a receiver was sent. ``refused`` counts requests by the reason why they were."""

    requests: int
    spans: int
    logs: int
    traces_without_run: int
    refused: dict[str, int]


class Diagnosis(_Frozen):
    """What some runs carry and lack; ``str()`` and ``rich`` print it, ``model_dump_json()`` too.

    ``origins`` counts runs by format, and by dialect where spans told them. ``folded``: how many
    runs were folded to see which features are dark. ``unfinished``: runs without a known end, or
    interrupted. Names beyond the first 50 are counted under "...". ``gaps`` counts runs by what
    their record is known to lack, with numbers in it written as N. ``findings``: the gravest first.
    """

    runs: int
    turns: int
    calls: int
    folded: int
    unfinished: int
    origins: dict[str, int]
    agents: dict[str, int]
    models: dict[str, int]
    end_reasons: dict[str, int]
    gaps: dict[str, int]
    outcomes: Outcomes
    signals: list[SignalShare]
    findings: list[Finding]
    load: LoadReport | None = None
    arrivals: Arrivals | None = None

    @property
    def blocked(self) -> bool:
        """Whether a finding is blocking."""
        return any(finding.severity == "blocking" for finding in self.findings)

    def signal(self, name: str) -> SignalShare:
        """The share of one signal. Raises ``KeyError`` for a name that is none."""
        return {signal.name: signal for signal in self.signals}[name]

    def __str__(self) -> str:
        from rich.console import Console  # noqa: PLC0415 - heavy

        text = StringIO()
        Console(file=text, width=PLAIN_WIDTH, color_system=None).print(self)
        return text.getvalue().rstrip()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The tables for a terminal."""
        from agentcal.doctor._tables import tables  # noqa: PLC0415 - loads rich

        yield from tables(self)
