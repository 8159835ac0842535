"""The artefact: one JSON file that comes back the same, or not at all and with a reason."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agentcal
from agentcal import ArtefactError, decision_points
from agentcal._artefact import CALIBRATOR, read_artefact, write_artefact
from agentcal.calibration import Calibrator

from .conftest import Fitted

KEY = b"a key of one's own"


@pytest.fixture
def saved(observed: Fitted, tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    observed.calibrator.save(path)
    return path


def test_a_calibrator_comes_back_with_the_same_scores(observed: Fitted, saved: Path) -> None:
    again = Calibrator.load(saved)
    assert again.fingerprint == observed.calibrator.fingerprint
    assert again.settings == observed.calibrator.settings
    assert str(again.report) == str(observed.calibrator.report)
    for run in observed.fresh:
        assert again.score(run) == observed.calibrator.score(run)
        for point in decision_points(run):
            assert again.reasons(point, run=run) == observed.calibrator.reasons(point, run=run)


def test_saving_twice_writes_the_same_bytes(observed: Fitted, saved: Path, tmp_path: Path) -> None:
    Calibrator.load(saved).save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == saved.read_bytes()


def test_the_file_is_plain_json_with_a_schema_version(saved: Path) -> None:
    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    document = json.loads(saved.read_text(encoding="ascii"), parse_constant=refuse)
    assert document["format"] == "agentcal-calibrator"
    assert document["schema_version"] == 1


def test_the_fingerprint_changes_with_anything(observed: Fitted) -> None:
    before = observed.calibrator.fingerprint
    settings = observed.calibrator.settings.model_copy(update={"seed": 99})
    other = Calibrator.model_validate(
        observed.calibrator.model_dump() | {"settings": settings.model_dump()}
    )
    assert other.fingerprint != before
    assert len(before) == 16
    assert int(before, 16) >= 0


def rewritten(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def signed_again(document: dict[str, Any]) -> None:
    """What somebody would do who knows the digest but not the key."""
    body = json.dumps(document["body"], sort_keys=True, separators=(",", ":")).encode()
    document["sha256"] = hashlib.sha256(body).hexdigest()


def test_a_changed_number_is_noticed(saved: Path) -> None:
    rewritten(saved, lambda document: document["body"]["settings"].update(success_at=0.5))
    with pytest.raises(ArtefactError, match="does not match its digest"):
        Calibrator.load(saved)


def test_a_flipped_byte_is_noticed_or_changes_nothing(saved: Path, observed: Fitted) -> None:
    content, noticed = saved.read_bytes(), 0
    places = range(20, len(content), len(content) // 25)
    for at in places:
        flipped = bytearray(content)
        flipped[at] ^= 1
        saved.write_bytes(flipped)
        try:
            found = Calibrator.load(saved).fingerprint
        except ArtefactError as error:
            noticed += "model.json" in str(error)
        else:  # in the last digit of a number, beyond what a float can tell apart
            assert found == observed.calibrator.fingerprint
    assert noticed > 0.8 * len(places)


@pytest.mark.parametrize("kept", [0, 1, 500, -1])
def test_a_truncated_file_is_refused(saved: Path, kept: int) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[:kept])
    with pytest.raises(ArtefactError, match="not JSON"):
        Calibrator.load(saved)


@pytest.mark.parametrize(
    "content",
    [b"not json at all", b"\xff\xfe\x00", b"[" * 100_000],
    ids=["text", "binary", "depth"],
)
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ArtefactError, match="not a calibrator"):
        Calibrator.load(tmp_path / "x")


@pytest.mark.parametrize("content", ["{}", "[1]", '"x"', "null", '{"format": "other"}'])
def test_foreign_json_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x").write_text(content)
    with pytest.raises(ArtefactError, match="not a calibrator"):
        Calibrator.load(tmp_path / "x")


def test_another_schema_version_is_refused(saved: Path) -> None:
    rewritten(saved, lambda document: document.update(schema_version=2))
    with pytest.raises(ArtefactError, match="schema version 2"):
        Calibrator.load(saved)


def test_features_of_another_version_are_refused(saved: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["body"]["features"] = "0123456789abcdef"
        signed_again(document)

    with pytest.raises(ArtefactError, match="0123456789abcdef"):
        Calibrator.load(rewritten(saved, change))


def test_a_body_of_another_shape_says_where(saved: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["body"]["settings"]["folds"] = "many"
        signed_again(document)

    with pytest.raises(ArtefactError, match=r"settings\.folds"):
        Calibrator.load(rewritten(saved, change))


@pytest.mark.parametrize("missing", ["nowhere/model.json", ""])
def test_what_is_not_there_cannot_be_read(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ArtefactError, match="cannot read"):
        Calibrator.load(tmp_path / missing)


def test_a_signature_is_checked_against_its_key(observed: Fitted, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    observed.calibrator.save(path, key=KEY)
    assert Calibrator.load(path, key=KEY).fingerprint == observed.calibrator.fingerprint
    assert Calibrator.load(path).fingerprint == observed.calibrator.fingerprint
    with pytest.raises(ArtefactError, match="another key"):
        Calibrator.load(path, key=b"somebody else's")


def test_a_forged_digest_does_not_forge_the_signature(observed: Fitted, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    observed.calibrator.save(path, key=KEY)

    def forge(document: dict[str, Any]) -> None:
        document["body"]["settings"]["success_at"] = 0.5
        signed_again(document)

    rewritten(path, forge)
    with pytest.raises(ArtefactError, match="signature"):
        Calibrator.load(path, key=KEY)


@pytest.mark.parametrize("signature", [None, "", "ü", 5, "\ud800"])
def test_a_missing_or_odd_signature_is_refused(saved: Path, signature: Any) -> None:
    if signature is not None:
        rewritten(saved, lambda document: document.update(hmac_sha256=signature))
    with pytest.raises(ArtefactError, match="signature"):
        Calibrator.load(saved, key=KEY)


def test_names_in_any_script_survive(tmp_path: Path) -> None:
    body = {"names": ["агент", "🤖", "\ud800", "a\nb"]}
    write_artefact(tmp_path / "x.json", body, KEY, CALIBRATOR)
    assert read_artefact(tmp_path / "x.json", KEY, CALIBRATOR) == body


@pytest.mark.parametrize("existing", [None, "what was there before"])
def test_a_full_disk_leaves_no_partial_file(
    observed: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: str | None
) -> None:
    path = tmp_path / "model.json"
    if existing is not None:
        path.write_text(existing)

    def full(document: Any, file: Any, **_: Any) -> None:
        file.write("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    with pytest.raises(ArtefactError, match="No space left"):
        observed.calibrator.save(path)
    assert [p.read_text() for p in tmp_path.iterdir()] == ([] if existing is None else [existing])


def test_a_folder_that_is_not_there_is_named(observed: Fitted, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="cannot write"):
        observed.calibrator.save(tmp_path / "nowhere" / "model.json")


def test_a_saved_file_is_as_readable_as_others(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    assert os.stat(saved).st_mode == os.stat(tmp_path / "other").st_mode


def test_a_void_calibrator_refuses_to_score_and_says_why(observed: Fitted, tmp_path: Path) -> None:
    void = observed.calibrator.void("the agent was replaced in May")
    with pytest.raises(ArtefactError, match=r"VOID: .*the agent was replaced in May"):
        void.score(observed.fresh[0])
    void.save(tmp_path / "void.json")
    again = Calibrator.load(tmp_path / "void.json")
    assert again.status == "VOID"
    point = next(decision_points(observed.fresh[0]))
    for ask in (again.predict, again.reasons):
        with pytest.raises(ArtefactError, match="replaced in May"):
            ask(point)
    assert observed.calibrator.status != "VOID"


def test_voiding_changes_the_fingerprint(observed: Fitted) -> None:
    before = observed.calibrator.fingerprint
    assert observed.calibrator.void("withdrawn").fingerprint != before


def test_nothing_in_the_package_unpickles_or_evaluates() -> None:
    root = Path(agentcal.__file__).parent
    forbidden = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            modules = [getattr(node, "module", None) or "", *names]
            assert not forbidden & {name.split(".")[0] for name in modules}, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), path
