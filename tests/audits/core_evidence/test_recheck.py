from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core import evidence_file, evidence_schema
from audits.core.contrast import recompute
from audits.core.recheck import EvidenceRefused, main, recheck
from tests.audits.core_evidence.experiments import World, policy_at

FAILING = World(models=8, after=1.2)


def written(world=FAILING, outcome="", **changes: object):
    policy, kept = policy_at(world.models), world.kept(3)
    verdict = recompute(kept, policy)
    values: dict[str, Any] = {
        "kind": "U_LIRA",
        "payload": {"kept": kept.as_dict(), "policy_digest": policy.digest()},
        "policy": policy.as_dict(),
        "outcome": outcome or verdict.outcome.value,
        "reasons": verdict.reasons,
    }
    return evidence_file.write(**values | changes)


@pytest.mark.parametrize("world", [FAILING, World(models=8), World(models=128, retrained=True)])
def test_M2_a_verdict_is_drawn_again_from_the_file_alone(world):
    found = recheck(written(world))
    assert found.agrees
    assert found.again == recompute(world.kept(3), policy_at(world.models))


def test_another_outcome_than_the_kept_numbers_give_is_found():
    found = recheck(written(outcome="PASS_LEAK"))
    assert not found.agrees
    assert found.again is not None
    assert found.again.outcome == "FAIL"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This is not an evidence file"),
        (b"[]", "has exactly digest, format"),
        (written(kind="POPULATION"), "kind is 'POPULATION'"),
        (written(payload={}), "without kept numbers"),
        (written(payload={"kept": {"before": 1}}), r"payload\.kept lacks models_per_arm, leak"),
        (written(reasons=[7]), r"file\.reasons\[0\] is 7; the schema asks for type \"string\""),
        (written(policy={"looks": [16], "alpha": 0.9}), "cannot be read"),
        (written(policy=policy_at(8, alpha=0.4).as_dict()), "policy is not the one"),
    ],
)
def test_it_refuses_a_file_with_a_sentence(data, sentence):
    with pytest.raises(EvidenceRefused, match=sentence):
        recheck(data)


def test_a_changed_payload_is_refused():
    values = json.loads(written())
    values["payload"]["kept"]["models_per_arm"] = 9
    data = json.dumps(values, separators=(",", ":"), sort_keys=True).encode()
    with pytest.raises(EvidenceRefused, match=r"was changed|not an evidence file"):
        recheck(data)


@given(st.binary(max_size=60))
@settings(max_examples=50, deadline=None)
def test_no_bytes_break_it(data):
    with pytest.raises(EvidenceRefused):
        recheck(data)


@pytest.fixture
def without_jsonschema(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "jsonschema"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    monkeypatch.setattr(evidence_schema, "_validator", evidence_schema._validator.__wrapped__)


def test_it_judges_without_jsonschema_and_says_what_was_not_checked(
    without_jsonschema, tmp_path, capsys
):
    file = tmp_path / "evidence.json"
    file.write_bytes(written())
    assert main([str(file)]) == 0
    assert capsys.readouterr().out.endswith("jsonschema is not installed\n")
    with pytest.raises(EvidenceRefused, match="cannot be read"):
        recheck(written(payload={"kept": {"before": 1}}))


def test_a_stranger_runs_it_without_django_or_torch(tmp_path):
    file = tmp_path / "evidence.json"
    file.write_bytes(written())
    program = (
        "import sys; from audits.core.recheck import main; code = main(sys.argv[1:]);"
        "assert not {'django', 'torch'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Recorded: FAIL\nAgain:    FAIL\n  " in done.stdout
    missing = subprocess.run(
        [sys.executable, "-m", "audits.core.recheck", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert missing.returncode == 2
    assert "none" in missing.stderr
