"""A version that turns up after the operator deleted what it learned from: nobody asked."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from audits import keys
from audits.core.record import verify
from audits.execution.report_view import SealedCase, view_of
from audits.models import Letter
from audits.queries import cases
from audits.queries.groups import groups
from audits.queries.journey import LABELS_FOR_STAFF, journey
from audits.queries.operator_cases import intake_of, operator_origin_of
from lineage.models import Job
from tests.audits import late_versions
from tests.audits import world as worlds
from tests.audits.operator_worlds import approved, new_case, opened
from tests.audits.world import ADA, BERT, CLEO, events, logged
from unlearning.core.planning.policy import Intake

pytestmark = pytest.mark.django_db
OF_PERSONS = ("GDPR", "Art. ", "ART_1", "request_", "case_erased", "rasure request", '"ERASED"')


@pytest.fixture
def run(world):
    """A training outside that goes on while the operator's case is dealt with."""
    return late_versions.opened(world, ADA, BERT)


@pytest.fixture
def first(world, run):
    """An operator's case that is sealed and had two records deleted."""
    seeds = list(world.owned(ADA))[:2]
    new = new_case(world.dataset.space, seeds=seeds, reason="EXPIRED_CONSENT", disposal="DELETE")
    return approved(world, opened(world, new))


@pytest.fixture
def late(world, run, first):
    late_versions.end(run)
    (case,) = late_versions.linked(world)
    return case


def verified(case):
    return verify(bytes(case.record.data), vkey=keys.verifier_text())


def test_the_case_has_no_deadline_and_no_ground(late, first):
    assert (late.linked_to, late.status) == (first, "RESTRICTED")
    assert (late.due_on, late.due_rule, late.ground) == (None, "NONE", "")
    assert late.reference.startswith("OP-")
    assert events(late) == ["case_opened", "case_linked", "records_restricted"]
    assert logged(late, "case_opened") == logged(first, "case_opened")


def test_its_record_and_its_report_speak_of_a_removal(world, late, first):
    case = late_versions.closed_by_destruction(world, late)
    assert (case.status, case.outcome, case.failure) == ("SEALED", "REMOVED", "")
    assert not Letter.objects.exists()
    job = Job.objects.get(payload_id=case.pk, kind="REPORT")
    assert job.status == "SUCCEEDED", job.error
    record = verified(case)
    found: Any = record.account.findings
    assert (record.account.outcome, found["operator_case"]["disposal"]) == ("REMOVED", "DELETE")
    assert found["request"]["linked_to"] == first.reference
    envelope = json.loads(bytes(case.record.data))["envelope"]
    statement = base64.b64decode(envelope["payload"]).decode()
    vkey = keys.verifier_text()
    view = view_of(SealedCase(verified=record, sha256="0" * 64, vkey=vkey, checkpoint_note=""))
    assert (view["outcome"], view["names"]["title"]) == ("Removed", "Removal record")
    assert view["due"] == "no statutory deadline"
    assert ["Follows on from", first.reference] in view["request"]
    areas = {name: result for name, result, _ in view["areas"]}
    assert areas == {"Data": "done", "Models": "done", "Approval": "done"}
    assert view["clock"][0][0] == "Opened by itself"
    for word in OF_PERSONS:
        assert word not in statement, word
        assert word not in json.dumps(view), word


def test_its_pages_show_no_deadline(late, first, client):
    client.force_login(worlds.officer())
    page = client.get(f"/cases/{late.pk}/").content.decode()
    assert "No statutory deadline" in page
    assert f"/cases/{first.pk}/forget-set/" in page
    for word in ("GDPR", "Answer due", "Ground", "Confirmation by the person", "Proposed by"):
        assert word not in page, word
    assert "No statutory deadline" in client.get("/cases/").content.decode()


def test_its_steps_leave_out_what_was_decided_before(late):
    steps = journey(late, LABELS_FOR_STAFF)
    assert [step.label for step in steps[:3]] == [
        "Opening",
        "Records leave every training",
        "Plan",
    ]
    assert [step.state for step in steps[:3]] == ["done", "done", "current"]
    assert steps[0].at is not None


def test_it_neither_waits_for_people_nor_counts_as_one(late, settings):
    settings.EXPUNGE_MIN_BATCH = 2
    assert groups() == []
    assert list(cases.open_cases()) == [late]


def test_what_follows_on_from_a_linked_case_goes_by_the_first_too(late, first):
    again = worlds.verified_case(BERT)
    again.linked_to = late
    again.save(update_fields=["linked_to"])
    found = operator_origin_of(again.pk)
    assert found is not None
    assert found.request == first
    assert intake_of(again.pk) is Intake.OPERATOR


def test_a_linked_case_of_a_person_still_has_the_clock_of_the_law(world):
    run = late_versions.opened(world, ADA, CLEO)
    world.erased(ADA)
    late_versions.end(run)
    (case,) = late_versions.linked(world)
    assert case.due_on is not None
    assert case.ground
    assert operator_origin_of(case.pk) is None
