"""Every python block of the documents runs, in order, in a folder that holds sample runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import agentcal as ac
from tests.commands import without_logprobs

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "integrations" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```python[ \t]*(?P<note>[^\n]*)\n(?P<code>.*?)^```[ \t]*$", re.M | re.S)
NO_RUN = re.compile(r"no-run\b[ \t:]*(?P<reason>.*)")


class Block(NamedTuple):
    line: int
    code: str
    reason: str | None
    """Why the block is not run, or None where it is."""


def blocks(text: str) -> Iterator[Block]:
    """The python blocks of a document. Refuses unknown marks and a no-run without a reason."""
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        note = fence["note"].strip()
        mark = NO_RUN.fullmatch(note)
        if note and mark is None:
            raise ValueError(f"line {line}: unknown mark {note!r}; only 'no-run REASON' is known")
        if mark is not None and len(mark["reason"].split()) < 2:
            raise ValueError(f"line {line}: no-run needs a reason: ```python no-run WHY")
        yield Block(line, fence["code"], mark["reason"] if mark else None)


def run(document: Path, text: str) -> int:
    """Execute the blocks of one document in one namespace; how many there were."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    done = 0
    for block in blocks(text):
        if block.reason is None:
            # Blank lines in front make a traceback name the line of the document.
            source = "\n" * block.line + block.code
            exec(compile(source, str(document), "exec"), namespace)  # noqa: S102
            done += 1
    return done


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory as the documents assume it: sample runs of other tasks in each folder.

    A part of them, without log-probs: the documents are about the calls, not about the figures.
    """
    runs = ac.sample_runs()
    groups = sorted({run.group or "" for run in runs})
    parts = {"runs": groups[:50], "held-out": groups[50:100], "new-runs": groups[100:130]}
    for folder, some in parts.items():
        few = (run for run in runs if run.group in some)
        (tmp_path / folder).mkdir()
        ac.write_jsonl(map(without_logprobs, few), tmp_path / folder / "sample.jsonl.gz")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_of_a_document_runs(document: Path, prepared: Path) -> None:
    text = document.read_text(encoding="utf-8")
    done = run(document, text)
    assert done + sum(b.reason is not None for b in blocks(text)) == text.count("\n```python")


def test_readme_shows_the_python_api() -> None:
    assert any(b.reason is None for b in blocks((ROOT / "README.md").read_text(encoding="utf-8")))


def test_blocks_of_one_document_share_names(tmp_path: Path) -> None:
    text = "```python\na = 2\n```\ntext\n\n```python\nassert a == 2\n```\n"
    assert run(tmp_path / "d.md", text) == 2


def test_a_failing_block_fails_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(tmp_path / "d.md", "one\n\n```python\nx = 1\n1 / 0\n```\n")
    assert caught.traceback[-1].lineno + 1 == 5


@pytest.mark.parametrize("note", ["no-run", "no-run why", "skip this one", "norun because of that"])
def test_a_block_is_left_out_only_with_a_reason(note: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        list(blocks(f"```python {note}\nx\n```\n"))


def test_a_block_with_a_reason_is_left_out(tmp_path: Path) -> None:
    text = "```python no-run needs a server of your own\n1 / 0\n```\n"
    assert run(tmp_path / "d.md", text) == 0
