"""Every affected version ends in exactly one way, or the case goes no further."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail

from audits import keys, workflow
from audits.core.record import verify
from audits.core.verdict import Outcome
from audits.execution.report_told import ends as view_ends
from audits.models import ComplianceRecord, VersionException
from audits.queries.ends import End, ends_of, ends_record, without_end
from audits.queries.footprint import footprint
from audits.queries.limits import limits_of
from audits.services import version_exceptions
from audits.services.rights import NotAllowed, give_role, make_roles
from audits.services.version_exceptions import ExceptionRefused
from lineage.models import ModelVersion
from tests.audits import world as worlds
from tests.audits.clock_cases import member
from tests.audits.test_closing import before_erasing
from tests.audits.world import ADA, BERT, CLEO, NOW, events, runs
from unlearning.models import UnlearningRun

pytestmark = pytest.mark.django_db
REASON = "The version is evidence in a lawsuit about its training."
UNTIL = date(2030, 1, 1)


def ended(case):
    return [(str(one.version), str(one.end), one.settled) for one in ends_of(case)]


def state(name):
    return ModelVersion.objects.get(model_name=name, version=1).state


def proposed(case, name, user, **fields: Any):  # noqa: ANN401  (fields of what is made)
    given = {"code": "ART_17_3_E", "reason": REASON, "until": UNTIL, "now": NOW, **fields}
    version = ModelVersion.objects.get(model_name=name, version=1)
    return version_exceptions.propose(case_id=case.pk, version=version, user=user, **given)


# --- the ends of today ------------------------------------------------------------------------


def test_Q13_a_case_says_what_it_did_to_each_version(world, signing_key):
    base = world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("tuned", world.snapshot(BERT), base=base)
    world.bare("bare", world.snapshot(ADA))
    case = world.erased()
    assert ended(case) == [
        ("base v1", "RETRAINED", True),
        ("tuned v1", "RETRAINED", True),
        ("bare v1", "OPEN", False),
    ]
    run = case.runs.get(status=UnlearningRun.Status.WAITING)
    world.do(workflow.destroy_version, run_id=run.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert case.status == "SEALED"
    assert [one.end for one in ends_of(case)][2] == End.DESTROYED
    data = bytes(ComplianceRecord.objects.get(request=case).data)
    sealed = verify(data, vkey=keys.verifier_text()).account.findings
    assert sealed["ends"] == ends_record(case)["ends"]
    assert len(view_ends(sealed)) == 3


def test_Q13_an_approximate_end_has_its_verdict(world, ruled):
    ruled(Outcome.PASS_LEAK)
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.erased()
    (one,) = ends_of(case)
    assert (one.end, one.verdict, str(one.became)) == (End.UNLEARNED, "PASS_LEAK", "base v2")


def test_what_was_escalated_ends_as_what_it_became(world, ruled):
    ruled(Outcome.FAIL)
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.erased()
    assert [run.method for run in runs(case)] == ["finetune", "retrain"]
    assert ended(case) == [("base v1", "RETRAINED", True)]


def test_a_version_without_an_end_stops_the_case_with_a_sentence(world):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = before_erasing(world)
    case.runs.clear()  # as if the plan and the runs had come apart
    assert ended(case) == [("base v1", "OPEN", False)]
    case = world.finish(case)
    assert case.status == "FAILED"
    assert "have no end: base v1 (nothing yet)" in case.failure
    assert state("base") == "ACTIVE"
    assert "records_erased" not in events(case)


# --- exceptions -------------------------------------------------------------------------------


@pytest.fixture
def waiting(world):
    """A case at a version without a recipe, and one that was trained again."""
    world.bare("bare", world.snapshot(ADA, BERT))
    case = world.erased()
    assert case.status == "UNLEARNING"
    return case


def test_an_excepted_version_stays_and_record_letter_and_footprint_say_so(world, waiting):
    made = proposed(waiting, "bare", member("Model operator"))
    assert [one.end for one in without_end(waiting)] == [End.OPEN]
    world.do(workflow.approve_exception, exception_id=made.pk, user=member("Reviewer"))
    case = world.finish(world.wake(waiting))
    assert (case.status, case.failure) == ("SEALED", "")
    assert state("bare") == "ACTIVE"
    assert ended(case) == [("bare v1", "EXCEPTED", True)]
    (row,) = ends_record(case)["ends"]
    assert (row["exception"], row["until"]) == ("ART_17_3_E", "2030-01-01")
    found = footprint(case, now=NOW)
    assert (found.accepted, found.left) == (1, [])
    letter = " ".join(str(mail.outbox[-1].body).split())
    assert "bare v1" in letter
    assert "1 January 2030" in letter
    assert "No model had learned" not in letter
    assert "bare v1 learned from your data and stays as it is until 1 January 2030" in letter
    assert "bare v1 will be made again" not in letter
    assert "stay as they are by an exception" in " ".join(limits_of(case, runs(case)))


def test_nobody_excepts_a_version_alone(world, waiting):
    user = member("Model operator")
    made = proposed(waiting, "bare", user)
    give_role(user=user, role="Reviewer")
    user = User.objects.get(pk=user.pk)
    with pytest.raises(ExceptionRefused, match="Somebody else than who proposed"):
        version_exceptions.approve(exception_id=made.pk, user=user, now=NOW)
    with pytest.raises(NotAllowed):
        version_exceptions.approve(exception_id=made.pk, user=member("Auditor"), now=NOW)
    version_exceptions.drop(exception_id=made.pk, user=user)
    assert not VersionException.objects.exists()
    assert "version_excepted" not in events(waiting)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"code": "BECAUSE"}, "code is 'BECAUSE'; allowed are ART_17_3_A"),
        ({"reason": "short"}, "has 5 characters; write at least 20"),
        ({"until": NOW.date()}, "it must be a day to come"),
    ],
)
def test_an_exception_says_enough_or_is_refused(world, waiting, fields, said):
    with pytest.raises(ExceptionRefused, match=said):
        proposed(waiting, "bare", member("Model operator"), **fields)


def test_a_version_whose_unlearning_has_begun_is_not_excepted(world):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.train("other", world.snapshot(BERT))
    case = before_erasing(world)
    make_roles()
    user = member("Model operator")
    with pytest.raises(ExceptionRefused, match="its run has begun"):
        proposed(case, "base", user)
    with pytest.raises(ExceptionRefused, match="other v1 is not affected"):
        proposed(case, "other", user)
    case = world.finish(case)
    with pytest.raises(ExceptionRefused, match="after the plan and before the erasure"):
        proposed(case, "base", user, now=NOW + timedelta(days=1))


def test_a_queued_run_of_an_excepted_version_is_never_begun(world):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.accepted()
    world.work(until=lambda: world.current(case).status == "UNLEARNING")
    case = world.current(case)
    made = proposed(case, "base", member("Model operator"))
    world.do(workflow.approve_exception, exception_id=made.pk, user=member("Reviewer"))
    case = world.finish(world.wake(case))
    assert (case.status, case.failure, state("base")) == ("SEALED", "", "ACTIVE")
    assert ModelVersion.objects.filter(model_name="base", kind="MODEL").count() == 1
