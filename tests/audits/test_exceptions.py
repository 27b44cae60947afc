"""Exceptions of Art. 17(3): for a part, until a day, and erased after it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone, translation
from pyroaring import BitMap

from audits import keys, workflow
from audits.core.assessment import Assessed
from audits.core.record import verify
from audits.execution.report_kept import kept_of
from audits.execution.report_retold import retold
from audits.models import LocationException
from audits.queries.exceptions import waiting_to_be_erased
from audits.queries.forget_sets import forget_set
from audits.services import closing, exceptions, planning
from audits.services.transitions import MoveNotAllowed
from audits.workflow import tasks
from lineage.models import DataRecord, Dataset
from lineage.queries.availability import restricted_ordinals
from tests.audits import world as worlds
from tests.audits.excepting import FOUND, accepted, after_its_day, kept, tomorrow, withdrawn
from tests.audits.world import ADA, BERT, digits, events, imported, logged, officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger(world) -> Dataset:
    """A second data set with records of Ada and Bert."""
    people = [ADA, ADA, BERT]
    return imported("ledger", list(zip(people, digits()[70:73], strict=True)))


def test_L17_what_is_excepted_stays_restricted_and_the_rest_is_erased(world, ledger):
    case = world.finish(accepted(world, kept(dataset=ledger.pk)))
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert forget_set(case.pk) == {world.dataset.space: world.owned(ADA)}
    assert restricted_ordinals(ledger.space) == BitMap([0, 1])
    left = DataRecord.objects.filter(space=ledger.space, invalidated_at=None)
    assert left.count() == 3
    subject = worlds.subject_of(ADA)
    assert subject is not None
    assert subject.records.count() == 2
    (event,) = logged(case, "records_excepted")
    assert event["records"] == 2
    assert "subject_key_destroyed" not in events(case)
    found: Any = verify(bytes(case.record.data), vkey=keys.verifier_text()).account.findings
    (one,) = kept_of(found)
    assert (one.what, one.code) == ("the data set ledger", "ART_17_3_B")
    limit = f"restricted: ledger until {tomorrow()} (ART_17_3_B)."
    assert limit in " ".join(found["limits"])
    assert retold_in_german(next(row for row in found["limits"] if limit in row))


def retold_in_german(sentence: str) -> str | None:
    with translation.override("de"):
        return retold(sentence)


def left_in(dataset: Dataset) -> int:
    return DataRecord.objects.filter(space=dataset.space, invalidated_at=None).count()


def test_L17_what_was_stopped_at_once_is_kept_all_the_same(world, ledger):
    case = withdrawn(world)
    assert forget_set(case.pk)[ledger.space] == BitMap([0, 1])
    case = world.finish(accepted(world, kept(dataset=ledger.pk), case=case))
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert forget_set(case.pk) == {world.dataset.space: world.owned(ADA)}
    assert restricted_ordinals(ledger.space) == BitMap([0, 1])
    assert left_in(ledger) == 3
    assert worlds.subject_of(ADA) is not None


def test_L17_a_later_withdrawal_does_not_erase_what_an_earlier_exception_keeps(world, ledger):
    world.finish(accepted(world, kept(dataset=ledger.pk)))
    fresh = imported("again", [(ADA, digits()[85])])
    case = world.finish(world.accept(world.wake(withdrawn(world))))
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert (left_in(ledger), left_in(fresh)) == (3, 0)
    assert restricted_ordinals(ledger.space) == BitMap([0, 1])


def test_L17_the_deletion_itself_leaves_what_is_kept(world, ledger):
    case = accepted(world, kept(dataset=ledger.pk))
    planning.restrict_for(
        case_id=case.pk, records={ledger.space: BitMap([0, 1])}, now=timezone.now()
    )
    closing.erase_data(request=case, now=timezone.now())
    assert left_in(ledger) == 3
    assert worlds.subject_of(ADA) is not None


def test_L17_the_answer_names_what_is_kept_and_until_when(world, ledger):
    kinds = [kept(dataset=ledger.pk), kept(place="Tax files on paper", code="ART_17_3_E")]
    world.finish(accepted(world, *kinds))
    body = " ".join(mail.outbox[-1].body.split())
    assert "ledger: Invoices alone." in body
    assert "Tax files on paper" in body
    assert f"{tomorrow():%B %Y}" in body
    assert "We destroyed the keys" not in body


def test_L17_an_ended_exception_is_a_task_and_its_own_case_erases(world, ledger):
    case = world.finish(accepted(world, kept(dataset=ledger.pk)))
    one = LocationException.objects.get()
    with world.commit(execute=True):
        tasks.sweep()
    assert not waiting_to_be_erased().exists()  # its day is not over
    after_its_day(one)
    for _ in range(2):
        with world.commit(execute=True):
            tasks.sweep()
    assert events(case).count("exception_ended") == 1
    assert list(waiting_to_be_erased()) == [one]
    follow_up = world.do(workflow.erase_excepted, exception_id=one.pk, user=officer())
    case_of_rest = world.finish(world.wake(follow_up))
    assert (case_of_rest.status, case_of_rest.linked_to) == ("SEALED", case)
    assert not DataRecord.objects.filter(space=ledger.space, ordinal__in=[0, 1]).exclude(
        invalidated_by=case_of_rest.pk
    )
    assert worlds.subject_of(ADA) is None
    assert not waiting_to_be_erased().exists()
    with pytest.raises(MoveNotAllowed, match="can be erased once"):
        workflow.erase_excepted(exception_id=one.pk, user=officer())


def test_L17_to_follow_up_is_to_erase_what_was_kept_and_nothing_that_came_since(world, ledger):
    world.finish(accepted(world, kept(dataset=ledger.pk)))
    fresh = imported("new contract", [(ADA, digits()[85])])
    one = LocationException.objects.get()
    after_its_day(one)
    exceptions.end_due(now=timezone.now())
    follow_up = world.do(workflow.erase_excepted, exception_id=one.pk, user=officer())
    case = world.finish(world.wake(follow_up))
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert forget_set(case.pk) == {ledger.space: BitMap([0, 1])}
    assert (left_in(ledger), left_in(fresh)) == (1, 1)
    assert not restricted_ordinals(fresh.space)
    assert worlds.subject_of(ADA) is not None


def test_L17_what_ends_before_the_erasure_goes_with_its_own_case(world, ledger):
    case = accepted(world, kept(dataset=ledger.pk))
    after_its_day(LocationException.objects.get())
    exceptions.end_due(now=timezone.now())
    case = world.finish(case)
    assert case.status == "SEALED"
    assert forget_set(case.pk)[ledger.space] == BitMap([0, 1])
    assert worlds.subject_of(ADA) is None
    assert not waiting_to_be_erased().exists()


def ends_during(monkeypatch, step: str, one: LocationException) -> None:
    """Let the sweep end an exception once a step of the deletion is done."""
    real = getattr(closing, step)

    def then(**arguments: object) -> None:
        real(**arguments)
        after_its_day(one)
        exceptions.end_due(now=timezone.now())

    monkeypatch.setattr(closing, step, then)


def test_L17_what_ends_while_models_are_destroyed_goes_with_its_own_case(
    world, ledger, monkeypatch
):
    case = accepted(world, kept(dataset=ledger.pk))
    ends_during(monkeypatch, "purge_shadows", LocationException.objects.get())
    case = world.finish(case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert "plan_redrawn" in events(case)
    assert left_in(ledger) == 1
    assert worlds.subject_of(ADA) is None
    assert not waiting_to_be_erased().exists()


def test_L17_what_ends_once_the_rest_is_deleted_waits_for_staff(world, ledger, monkeypatch):
    case = accepted(world, kept(dataset=ledger.pk))
    one = LocationException.objects.get()
    ends_during(monkeypatch, "erase_data", one)
    case = world.finish(case)
    assert (case.status, left_in(ledger)) == ("SEALED", 3)
    assert list(waiting_to_be_erased()) == [one]


def test_L17_a_new_request_does_not_undo_an_exception(world, ledger):
    world.finish(accepted(world, kept(dataset=ledger.pk)))
    again = world.wake(world.ask())
    assert again.outcome == ""  # records are still held
    accepted_again = Assessed(grounds=(FOUND,), excepted=(kept(dataset=ledger.pk),))
    with pytest.raises(MoveNotAllowed, match="keep every record that is held"):
        workflow.accept(
            case_id=again.pk, ground=FOUND.code, user=officer(), assessed=accepted_again
        )


def test_L17_exceptions_that_keep_everything_are_a_refusal(world, ledger):
    with pytest.raises(MoveNotAllowed, match="Refuse the request instead"):
        accepted(world, kept(dataset=ledger.pk), kept(dataset=world.dataset.pk))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"code": "TOO_HARD"}, "exception is 'TOO_HARD'; allowed are ART_17_3_A"),
        ({"until": date(2020, 1, 1)}, "ends on 2020-01-01; that must be after"),
        ({"place": ""}, "needs a data set or a place"),
        ({"basis": " "}, "legal basis of exception ART_17_3_B is empty"),
        ({"scope": ""}, "scope of exception ART_17_3_B is empty"),
        ({"place": "x" * 101}, "has 101 characters; allowed are 100"),
    ],
)
def test_L17_E4_an_exception_is_of_the_law_of_a_part_and_until_a_day(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        kept(**{"place": "Paper files", **changed}).check(timezone.now().date())
