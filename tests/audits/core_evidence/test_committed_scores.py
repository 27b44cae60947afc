"""Scores are committed to whatever a database makes of their numbers, and only under the salt."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.commitment import CaseKeyMalformed
from audits.core.committed_scores import LookScores, ScoresUnreadable, read_scores
from audits.core.packed import packed
from audits.core.recheck import COMMITTED, NOT_COMMITTED, EvidenceRefused, committed_to, main
from tests.audits.core_evidence.experiments import policy_at
from tests.audits.core_evidence.test_recheck import FAILING, written

SALT, OTHER = b"\x07" * 32, b"\x08" * 32
floats = st.floats(allow_nan=False, allow_infinity=False, width=64)
RUN = "0b1e7f5e-0000-4000-8000-000000000001"


def row(before):
    return {
        "model": 0,
        "member": True,
        "before": before,
        "neighbours_before": packed(np.array([before])),
        "retrained": None,
        "canary_member": [True, False],
        "engine": "sequential",
    }


def look(*before: list[float], number=0):
    return LookScores(run=RUN, look=number, rows={at: row(one) for at, one in enumerate(before)})


LOOK = look([1.5, -2.0], [0.25, 3.0])


@given(st.lists(floats, min_size=1, max_size=5))
def test_it_does_not_depend_on_how_json_writes_a_number(before):
    told = look(before)
    again, salt = read_scores(told.written(SALT))
    assert (again.commitment(salt), salt) == (told.commitment(SALT), SALT)
    whole = [int(one) if one.is_integer() else one for one in before]  # as PostgreSQL does
    kept = {0: row(before) | {"before": whole}}
    assert replace(told, rows=kept).commitment(SALT) == told.commitment(SALT)


def test_signs_of_zero_and_missing_numbers_are_one():
    assert look([0.0]).commitment(SALT) == look([-0.0]).commitment(SALT)
    missing = {0: row([1.0]) | {"before": [None]}}
    again = {0: row([1.0]) | {"before": [float("nan")]}}
    first, second = (replace(LOOK, rows=rows).commitment(SALT) for rows in (missing, again))
    assert first == second != look([1.0]).commitment(SALT)


@pytest.mark.parametrize(
    "other",
    [
        look([1.5, -2.0], [0.25, 3.0000000000000004]),
        look([1.5, -2.0], [0.25, 3.0], number=1),
        look([0.25, 3.0], [1.5, -2.0]),
        look([1.5, -2.0]),
        replace(LOOK, run=RUN[:-1] + "2"),
        replace(LOOK, rows={**LOOK.rows, 1: LOOK.rows[1] | {"engine": "stacked"}}),
        replace(LOOK, rows={**LOOK.rows, 1: LOOK.rows[1] | {"before": [[0.25], [3.0]]}}),
        replace(LOOK, rows={**LOOK.rows, 1: LOOK.rows[1] | {"retrained": []}}),
    ],
)
def test_every_change_of_a_score_changes_it(other):
    assert other.commitment(SALT) != LOOK.commitment(SALT)


def test_without_the_salt_the_scores_themselves_do_not_open_it():
    assert LOOK.commitment(OTHER) != LOOK.commitment(SALT)
    with pytest.raises(CaseKeyMalformed):
        LOOK.commitment(b"")


def test_the_order_in_which_rows_were_stored_does_not_matter():
    turned = replace(LOOK, rows=dict(reversed(LOOK.rows.items())))
    assert turned.commitment(SALT) == LOOK.commitment(SALT)


GOOD = json.loads(LOOK.written(SALT))


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        GOOD | {"format": "expunge-scores/2"},
        GOOD | {"more": 1},
        GOOD | {"salt": "xyz"},
        GOOD | {"rows": 3},
        GOOD | {"rows": {"a": {}}},
        GOOD | {"rows": {"0": 1}},
    ],
)
def test_what_is_no_file_of_scores_is_refused(values):
    with pytest.raises(ScoresUnreadable, match="file of scores"):
        read_scores(json.dumps(values).encode())


@given(st.binary(max_size=40))
def test_no_bytes_break_it(data):
    with pytest.raises(ScoresUnreadable):
        read_scores(data)


# --- held against the evidence ------------------------------------------------------------------


def evidence():
    policy, kept = policy_at(FAILING.models), FAILING.kept(3)
    said = {"commitment": LOOK.commitment(SALT), "models": 2}
    return written(
        payload={
            "kept": kept.as_dict(),
            "policy_digest": policy.digest(),
            "scores": said,
        }
    )


def test_evidence_tells_the_scores_that_it_committed_to_from_others():
    assert committed_to(evidence(), LOOK.written(SALT))
    assert not committed_to(evidence(), LOOK.written(OTHER))
    assert not committed_to(evidence(), look([1.5, -2.0]).written(SALT))
    with pytest.raises(EvidenceRefused, match="commits to no scores"):
        committed_to(written(), LOOK.written(SALT))
    with pytest.raises(EvidenceRefused, match="not a file of scores"):
        committed_to(evidence(), b"7")
    broken = GOOD | {"rows": {"0": {"before": [[1], 2]}}}
    with pytest.raises(EvidenceRefused, match="not an array"):
        committed_to(evidence(), json.dumps(broken).encode())
    with pytest.raises(EvidenceRefused, match="32 bytes"):
        committed_to(evidence(), json.dumps(GOOD | {"salt": "07"}).encode())


@pytest.mark.parametrize(
    ("salt", "status", "line"), [(SALT, 0, COMMITTED), (OTHER, 1, NOT_COMMITTED)]
)
def test_the_command_says_which(tmp_path, capsys, salt, status, line):
    (tmp_path / "e.json").write_bytes(evidence())
    (tmp_path / "s.json").write_bytes(LOOK.written(salt))
    assert main([str(tmp_path / "e.json"), str(tmp_path / "s.json")]) == status
    assert capsys.readouterr().out.splitlines()[-1] == line
