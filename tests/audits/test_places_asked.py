"""By what places outside lineage are asked about a person."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from audits import workflow
from audits.core.identity import Check
from audits.models import ErasureRequest, LocationResult
from audits.queries import places as questions
from audits.services import places
from audits.services.entering import Entry
from audits.services.receiving import Told
from tests.audits import world as worlds
from tests.audits.kinds import confirmed
from tests.audits.test_places import NOBODY, account, accounts, registered, result
from tests.audits.world import ADA, NOW, officer

__all__ = ["accounts"]  # a fixture
pytestmark = pytest.mark.django_db
CHECK = Check(method="CALL_BACK", level="SUBSTANTIAL")


def checked(email: str, *identifiers: tuple[str, str]) -> ErasureRequest:
    """A case whose person stated more than the address, and whose identity staff have checked."""
    postal = "" if email else "Ada, 1 Road"
    told = Told(identifiers=identifiers, postal_address=postal)
    entry = Entry(
        channel="EMAIL" if email else "POST",
        received_at=NOW,
        email=email,
        old_confirmed=True,
        told=told,
        check=CHECK,
    )
    return workflow.enter(entry=entry, user=officer())


def test_a_place_is_asked_by_every_address_that_staff_have_checked(world, accounts):
    with world.commit(execute=True):
        case = checked("new@example.org", ("EMAIL", ADA), ("EXTERNAL", "C-1"))
    person = questions.person_of(case)
    assert person is not None
    assert (person.email, person.further) == ("new@example.org", (ADA, "C-1"))
    case = world.finish(world.accept(case))
    assert (case.status, case.outcome) == (ErasureRequest.Status.SEALED, "ERASED")
    assert result(case, "accounts").result == "DELETED"
    assert not User.objects.filter(email__iexact=ADA).exists()


def test_what_nobody_has_checked_is_not_asked_for(world):
    told = Told(identifiers=(("EMAIL", ADA),))
    case = confirmed("ERASURE", NOBODY, told=told)
    person = questions.person_of(case)
    assert person is not None
    assert (person.email, person.further) == (NOBODY, ())


def test_a_person_without_an_address_is_looked_for_by_number(world):
    registered("accounts", field="username")
    account("", "C-1")
    with world.commit(execute=True):
        case = checked("", ("EXTERNAL", "C-1"))
    world.wake(case)
    case = world.finish(case)
    assert (case.status, case.outcome) == (ErasureRequest.Status.VERIFIED, "")
    case = world.finish(world.accept(case))
    assert (case.status, case.outcome) == (ErasureRequest.Status.SEALED, "ERASED")
    assert result(case, "accounts").result == "DELETED"


def test_a_check_of_identity_has_every_place_asked_again(world, accounts):
    case = worlds.verified_case("again@example.org", records=0)
    places.search_places(request=case, now=NOW)
    assert result(case, "accounts").result == "NONE_FOUND"
    workflow.check_identity(case_id=case.pk, check=CHECK, user=officer())
    assert not LocationResult.objects.filter(case=case).exists()
