"""What a withdrawal of consent or an objection stops, whenever it is found or arrives."""

from __future__ import annotations

import pytest

from audits import workflow
from audits.core.identity import Check
from audits.services import requests, stopping
from audits.workflow import tasks
from lineage.models import DataRecord, OrdinalSpace
from lineage.services.subjects import register_subject
from tests.audits.kinds import BALANCE, approved, confirmed, member, restricted
from tests.audits.world import ADA, NOW, events, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


def test_a_stop_takes_in_what_a_check_of_identity_finds(officer):
    register_subject(identifiers={"EMAIL": ADA}, now=NOW)
    person("old@example.org", records=3)
    told = requests.Told(identifiers=(("EMAIL", "old@example.org"),))
    case = confirmed("CONSENT", told=told)
    assert restricted() == 0
    check = Check(method="CALL_BACK", level="HIGH")
    workflow.check_identity(case_id=case.pk, check=check, user=officer)
    assert restricted() == 3
    before = len(events(case))
    workflow.check_identity(case_id=case.pk, check=check, user=officer)
    assert events(case)[before:] == ["identity_checked", "subject_identified"]


def arrive(subject):
    space = OrdinalSpace.objects.get(records__subject=subject, records__ordinal=0)
    OrdinalSpace.objects.filter(pk=space.pk).update(next_ordinal=space.next_ordinal + 1)
    DataRecord.objects.create(
        space=space, ordinal=space.next_ordinal, subject=subject, generated_at=NOW
    )


@pytest.mark.parametrize("refused", [False, True])
def test_the_sweep_stops_what_arrives_of_somebody_who_objected(officer, refused):
    subject = person(ADA, records=2)
    case = confirmed("OBJECTION")
    if refused:
        balance = {"case_id": case.pk, "upheld": False, "text": BALANCE}
        approved(workflow.decide_objection(**balance, user=officer))
    arrive(subject)
    tasks.sweep()
    assert restricted() == 3
    stopping.lift_at_once(case_id=case.pk, now=NOW)
    arrive(subject)
    tasks.sweep()
    assert restricted() == 0
