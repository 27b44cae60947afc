"""Places outside lineage, in the life of a case."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from audits import keys, workflow
from audits.core.assessment import Assessed, Excepted, Ground
from audits.core.record import verify
from audits.execution import report_sections, report_view
from audits.models import ComplianceRecord, ErasureRequest, LocationResult
from audits.queries import places as questions
from audits.services import places
from lineage.core.places import Erased, LocationNotReachable
from lineage.locations.django_model import DjangoModel
from lineage.models import Job, Location
from lineage.services.locations import NewLocation, register_backup, register_location
from tests.audits import world as worlds
from tests.audits.world import ADA, NOW, logged, officer, reviewer

pytestmark = pytest.mark.django_db
NOBODY = "nobody@example.org"


def sealed_findings(case):
    record = ComplianceRecord.objects.get(request=case)
    return verify(bytes(record.data), vkey=keys.verifier_text()).account.findings


def registered(slug, field="email", **more: Any):  # noqa: ANN401
    settings = {"model": "auth.User", "field": field, **more.pop("settings", {})}
    new = NewLocation(
        slug=slug, kind="django_model", purpose="accounts", settings=settings, **more
    )
    return register_location(new=new, now=NOW)


def account(email, name="customer"):
    return User.objects.create(username=name, email=email, last_name="Lovelace")


def result(case, slug):
    return LocationResult.objects.get(case=case, location__slug=slug)


@pytest.fixture
def accounts(world):
    """A registered place in which Ada has one row and somebody else another."""
    account(ADA.upper())
    account("else@example.org", "other")
    return registered("accounts")


@pytest.fixture
def away(monkeypatch):
    """Places that are not there, while this is on."""

    def refuse(*_: object):
        raise LocationNotReachable("The table is away.")

    with monkeypatch.context() as broken:
        broken.setattr(DjangoModel, "_find", refuse)
        yield broken


def test_L15_a_place_is_erased_from_and_read_back_with_its_own_times(world, accounts):
    case = world.erased()
    assert case.status == ErasureRequest.Status.SEALED
    row = result(case, "accounts")
    assert (row.result, row.found, row.remaining) == ("DELETED", 1, 0)
    assert case.received_at <= row.erased_at <= row.verified_at <= case.sealed_at
    assert list(User.objects.filter(is_staff=False).values_list("username", flat=True)) == [
        "other"
    ]
    place = str(accounts.pk)
    assert logged(case, "location_searched") == [
        {"location": place, "result": "FOUND", "found": 1}
    ]
    assert logged(case, "location_erased") == [
        {"location": place, "result": "DELETED", "found": 1, "remaining": 0}
    ]


def test_Q7_the_record_says_what_was_searched_and_what_was_not(world, accounts):
    registered("old", active=False)
    registered("empty", field="last_name")
    found = sealed_findings(world.erased())["places"]["locations"]
    assert [(row["slug"], row["result"]) for row in found] == [
        ("accounts", "DELETED"),
        ("empty", "NONE_FOUND"),
        ("old", "NOT_SEARCHED"),
    ]
    assert found[2]["reason"] == "The place is not in use."
    assert ADA not in json.dumps(found)


def test_a_place_that_is_away_stops_the_case_and_a_retry_goes_on_there_alone(
    world, accounts, away, monkeypatch
):
    case = world.erased()
    assert case.status == ErasureRequest.Status.FAILED
    assert case.failure.startswith("accounts: The table is away.")
    assert result(case, "accounts").result == "NOT_REACHABLE"
    erased = [dict(one) for one in logged(case, "records_erased")]
    away.undo()
    asked: list[str] = []
    find = DjangoModel._find

    def counted(place, person):
        asked.append(place.field)
        return find(place, person)

    monkeypatch.setattr(DjangoModel, "_find", counted)
    world.do(workflow.retry, case_id=case.pk, user=worlds.officer())
    world.wake(case)
    case = world.finish(case)
    assert case.status == ErasureRequest.Status.SEALED
    assert logged(case, "records_erased") == erased
    assert len(asked) == 2  # to search and to read back
    assert [row["result"] for row in logged(case, "location_searched")] == [
        "NOT_REACHABLE",
        "FOUND",
    ]


def test_one_place_that_is_away_does_not_keep_the_others_waiting(world, accounts, monkeypatch):
    Location.objects.create(slug="aaa", kind="files", purpose="x", created_at=NOW)  # no settings
    case = world.erased()
    assert case.failure.startswith("aaa: pattern is missing")
    assert result(case, "accounts").result == "DELETED"


def test_what_is_found_when_reading_back_stops_the_case(world, accounts, monkeypatch):
    monkeypatch.setattr(DjangoModel, "_erase", lambda *_: Erased(count=1))
    case = world.erased()
    assert case.status == ErasureRequest.Status.FAILED
    assert "accounts: 1 of 1 are still found" in case.failure
    assert (result(case, "accounts").result, result(case, "accounts").remaining) == ("REMAINS", 1)
    assert logged(case, "location_erased") == []


def test_Q9_E7_masked_rows_are_a_residual_and_never_called_erased(world):
    account(ADA)
    mask = {"mask": ["email", "last_name"]}
    registered("accounts", settings=mask, mask_reason="Invoices refer to the row.")
    case = world.erased()
    assert result(case, "accounts").result == "MASKED"
    row = User.objects.get(username="customer")
    assert ADA not in row.email
    assert "Lovelace" not in row.last_name
    assert logged(case, "location_erased") == []
    assert [one["result"] for one in logged(case, "location_kept")] == ["MASKED"]
    text = " ".join(mail.outbox[-1].body.split())
    assert "accounts: rows remain in which nothing names you any more; they are masked" in text
    findings = sealed_findings(case)
    ((_, said, *_),) = report_sections.places(findings)
    assert said == "masked, not erased: Invoices refer to the row."
    assert report_view._data_area("ERASED", findings)[0] == "done with residual"


def test_L17_an_excepted_place_is_restricted_and_stays(world, accounts):
    until = timezone.now().date() + timedelta(days=30)
    kept = Excepted(
        code="ART_17_3_B", basis="Tax law.", scope="Invoices.", until=until, place="accounts"
    )
    ground = Ground(code="ART_17_1_D", purpose="Training", assessment="There was no basis at all.")
    case = world.wake(world.ask())
    decision = world.do(
        workflow.accept,
        case_id=case.pk,
        ground=ground.code,
        user=officer(),
        assessed=Assessed(grounds=(ground,), excepted=(kept,)),
    )
    world.do(workflow.approve_decision, decision=decision, user=reviewer())
    case = world.finish(world.wake(case))
    row = result(case, "accounts")
    assert (row.result, row.remaining) == ("RESTRICTED", 1)
    assert row.reason == f"ART_17_3_B until {until}"
    assert User.objects.filter(email__iexact=ADA).count() == 1
    assert case.status == ErasureRequest.Status.SEALED


def test_Q10_E6_record_and_letter_name_the_backups_that_still_hold_the_person(world):
    now = timezone.now()
    day, year = timedelta(days=1), timedelta(days=365)
    register_backup(name="nightly", made_at=now - day, expires_at=now + year, covers="database")
    register_backup(name="later", made_at=now + day, expires_at=now + year, covers="database")
    case = world.erased()
    (held,) = sealed_findings(case)["places"]["backups"]
    assert (held["backup"], held["expires_on"]) == ("nightly", (now + year).date().isoformat())
    assert "* nightly, by " in mail.outbox[-1].body


def test_a_person_whom_only_a_place_knows_is_not_told_that_nothing_is_held(world):
    registered("accounts")
    account(NOBODY)
    case = world.ask(NOBODY)
    world.wake(case)
    case = world.finish(case)
    assert (case.status, case.outcome) == (ErasureRequest.Status.VERIFIED, "")
    case = world.finish(world.accept(case))
    assert (case.status, case.outcome) == (ErasureRequest.Status.SEALED, "ERASED")
    assert not User.objects.filter(email=NOBODY).exists()


def test_a_person_whom_no_place_knows_is_told_so_after_all_were_asked(world, accounts):
    case = world.ask(NOBODY)
    world.wake(case)
    case = world.finish(case)
    assert (case.status, case.outcome) == (ErasureRequest.Status.SEALED, "NO_DATA_FOUND")
    assert result(case, "accounts").result == "NONE_FOUND"
    assert Job.objects.filter(kind="SEARCH").count() == 1


def test_a_place_that_is_away_is_no_place_without_data(world, accounts, away):
    case = world.ask(NOBODY)
    world.wake(case)
    case = world.finish(case)
    assert (case.status, case.outcome) == (ErasureRequest.Status.VERIFIED, "")


def test_a_crash_between_erasing_and_noting_it_loses_nothing(world, accounts, monkeypatch):
    case = worlds.verified_case("crash@example.org")
    account("crash@example.org", "crash")
    with monkeypatch.context() as broken:
        broken.setattr(places, "_note", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            places.erase_places(request=case, now=NOW)
    assert not User.objects.filter(username="crash").exists()
    places.erase_places(request=case, now=NOW)
    assert (result(case, "accounts").result, result(case, "accounts").found) == ("DELETED", 1)


def test_an_operators_case_asks_no_place(world, accounts):
    case = worlds.verified_case("op@example.org")
    case.email = ""
    assert questions.person_of(case) is None
    places.erase_places(request=case, now=NOW)
    assert not LocationResult.objects.filter(case=case).exists()


def test_the_database_refuses_a_deletion_that_was_not_read_back(world, accounts):
    case = worlds.verified_case("db@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        LocationResult.objects.create(case=case, location=accounts, result="DELETED")
