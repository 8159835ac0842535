"""`agentcal inspect tools`, and `--tools` of fit, evaluate and score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import agentcal as ac
from agentcal.cli import main
from agentcal.declarations import read_declarations, write_declarations
from agentcal.tool_survey import survey_tools
from tests.cli.conftest import Files
from tests.commands import Command

NOTE = "agentcal: note: the calibrator was fitted"


@pytest.fixture(scope="module")
def declared(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A calibrator fitted with declarations, those declarations, and others."""
    folder = tmp_path_factory.mktemp("tools")
    made = Files(folder / "model.json", folder / "tools.json", folder / "other.json")
    write_declarations([ac.ToolDeclaration(name="search", kind="verification")], made.train)
    write_declarations([ac.ToolDeclaration(name="search", kind="action")], made.test)
    fit = ["fit", str(files.train), "-o", str(made.model), "--quick", "--json"]
    with pytest.raises(SystemExit) as ended:
        main([*fit, "--tools", str(made.train)])
    assert not ended.value.code
    return made


def test_the_table_tells_every_tool_and_why(files: Files, agentcal: Command) -> None:
    done = agentcal("inspect", "tools", files.test)
    assert (done.code, done.err) == (0, "")
    survey = survey_tools(ac.load(files.test, progress=False))
    for row in survey.tools:
        assert row.name in done.out
    (search,) = (line for line in done.out.splitlines() if line.strip().startswith("search"))
    assert search.split()[1:] == [
        f"{row.calls}" if field == "calls" else field
        for row in survey.tools
        if row.name == "search"
        for field in ("calls", f"{row.error_share:.0%}", "evidence", "-", *row.why.split())
    ]
    assert f"{len(survey.tools)} tools in {survey.runs} runs" in done.out


def test_json_is_the_survey_that_python_gives(files: Files, agentcal: Command) -> None:
    told = json.loads(agentcal("inspect", "tools", files.test, "--json").out)
    survey = survey_tools(ac.load(files.test, progress=False))
    assert told == {"written": None, **survey.model_dump(mode="json")}


def test_write_correct_look_again(files: Files, agentcal: Command, tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    done = agentcal("inspect", "tools", files.test, "--write", path)
    assert done.code == 0
    assert f"--tools {path}" in done.out
    names = {tool.name for tool in read_declarations(path)}
    assert names >= {"search", "calculator"}
    assert "__parse__" not in names
    assert "'__parse__'" in done.err
    corrected = path.read_text("utf-8").replace(
        '"search": {"kind": "evidence"', '"search": {"kind": "action"'
    )
    path.write_text(corrected, encoding="utf-8")
    again = agentcal("inspect", "tools", files.test, "--tools", path, "--json")
    (search,) = (row for row in json.loads(again.out)["tools"] if row["name"] == "search")
    assert (search["kind"], search["why"]) == ("action", "declared")


def test_a_corrected_file_is_not_overwritten_but_carried_over(
    files: Files, agentcal: Command, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    write_declarations([ac.ToolDeclaration(name="search", idempotent=True)], old)
    before = old.read_bytes()
    done = agentcal("inspect", "tools", files.test, "--write", old)
    assert (done.code, done.out) == (1, "")
    assert f"--tools {old}" in done.err
    assert old.read_bytes() == before
    done = agentcal("inspect", "tools", files.test, "--tools", old, "--write", new, "--json")
    assert json.loads(done.out)["written"] == str(new)
    tools = {tool.name: tool for tool in read_declarations(new)}
    assert (tools["search"].kind, tools["search"].idempotent) == ("evidence", True)


def test_runs_without_tools_have_nothing_to_write(agentcal: Command, tmp_path: Path) -> None:
    ac.Trajectory(run_id="r").save(tmp_path / "run.json")
    done = agentcal("inspect", "tools", tmp_path / "run.json")
    assert (done.code, "0 tools in 1 run\n" in done.out) == (0, True)
    done = agentcal("inspect", "tools", tmp_path / "run.json", "--write", tmp_path / "t.json")
    assert done.code == 1
    assert "no tool" in done.err
    assert not (tmp_path / "t.json").exists()


def test_the_calibrator_remembers_the_declarations(
    files: Files, declared: Files, agentcal: Command
) -> None:
    digest = ac.declare_tools([], declared.train).digest
    assert ac.Calibrator.load(declared.model).settings.tools == digest
    assert ac.Calibrator.load(files.model).settings.tools is None
    assert digest in agentcal("inspect", "model", declared.model).out


def test_scores_with_declarations_are_those_of_python(
    files: Files, declared: Files, agentcal: Command
) -> None:
    done = agentcal(
        "score", declared.model, files.test, "--tools", declared.train, "--json", "--reasons"
    )
    assert (done.code, done.err) == (0, "")
    calibrator = ac.Calibrator.load(declared.model)
    runs = ac.declare_tools(ac.load(files.test, progress=False), declared.train)
    expected = [confidence.value for run in runs for confidence in calibrator.score(run)]
    assert [json.loads(line)["value"] for line in done.out.splitlines()] == expected


@pytest.mark.parametrize("command", ["score", "evaluate"])
@pytest.mark.parametrize(
    ("model", "tools", "words"),
    [
        ("declared", None, "these runs come without tool declarations"),
        ("declared", "other", "these runs come with tool declarations"),
        ("plain", "other", "leave --tools out"),
    ],
)
def test_other_declarations_than_those_of_the_fit_are_said_once(
    files: Files,
    declared: Files,
    agentcal: Command,
    tmp_path: Path,
    command: str,
    model: str,
    tools: str | None,
    words: str,
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(files.test.read_text("utf-8").splitlines(keepends=True)[:6]))
    path = declared.model if model == "declared" else files.model
    options = [] if tools is None else ["--tools", declared.test]
    done = agentcal(command, path, few, "--json", *options)
    assert done.code == 0
    assert done.err.count(NOTE) == 1
    assert words in done.err
    assert all(json.loads(line) for line in done.out.splitlines())


def test_the_same_declarations_are_not_worth_a_word(
    files: Files, declared: Files, agentcal: Command
) -> None:
    done = agentcal("evaluate", declared.model, files.test, "--json", "--tools", declared.train)
    assert (done.code, done.err) == (0, "")
    assert agentcal("score", files.model, files.test, "--json").err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "TRAIN", "-o", "OUT", "--quick"],
        ["evaluate", "MODEL", "TEST"],
        ["score", "MODEL", "TEST"],
        ["inspect", "tools", "TEST"],
    ],
)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot read"),
        ("{", "not JSON"),
        ('{"schema_version": 1, "tools": {"x": {"kind": "act"}}}', "tool 'x': kind is \"act\""),
    ],
)
def test_a_bad_declaration_file_is_told_in_a_line(
    files: Files,
    agentcal: Command,
    tmp_path: Path,
    arguments: list[str],
    text: str | None,
    why: str,
) -> None:
    bad, out = tmp_path / "bad.json", tmp_path / "out.json"
    if text is not None:
        bad.write_text(text)
    names = {"TRAIN": files.train, "TEST": files.test, "MODEL": files.model, "OUT": out}
    done = agentcal(*(names.get(a, a) for a in arguments), "--tools", bad)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"agentcal: {bad}: ")
    assert why in done.err
    assert len(done.err.splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["missing.jsonl"], 1, "missing.jsonl"),
        ([], 2, "RUNS"),
        (["TEST", "--write", "no/where.json"], 1, "there is no folder"),
        (["TEST", "--write", "."], 1, "is a folder"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    files: Files, agentcal: Command, arguments: list[str], code: int, why: str
) -> None:
    done = agentcal("inspect", "tools", *(str(files.test) if a == "TEST" else a for a in arguments))
    assert (done.code, done.out) == (code, "")
    assert why in done.err
    assert "Traceback" not in done.err
