"""Exceptions of Art. 17(3) for a place, until its keeper erased there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audits import workflow
from audits.models import LocationException, LocationResult
from audits.queries.exceptions import waiting_to_be_erased
from audits.queries.places import excepted_locations
from audits.services import exceptions, places
from audits.services.transitions import MoveNotAllowed
from lineage.services.locations import NewLocation, register_location
from tests.audits.excepting import accepted, after_its_day, kept
from tests.audits.kinds import now_of
from tests.audits.world import ADA, BERT, logged, officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts(world) -> None:
    """A registered place with a row of Ada's."""
    User.objects.create(username="customer", email=ADA)
    settings = {"model": "auth.User", "field": "email"}
    new = NewLocation(slug="accounts", kind="django_model", purpose="accounts", settings=settings)
    register_location(new=new, now=timezone.now())


def test_L17_a_place_is_erased_from_where_its_exception_ended_before(world, accounts):
    case = accepted(world, kept(place="accounts"))
    after_its_day(LocationException.objects.get())
    exceptions.end_due(now=timezone.now())
    case = world.finish(case)
    assert (case.status, LocationResult.objects.get(case=case).result) == ("SEALED", "DELETED")
    assert not User.objects.filter(email=ADA).exists()
    assert not waiting_to_be_erased().exists()


@pytest.mark.parametrize("place", ["accounts", "Tax files on paper"])
def test_L17_a_place_is_a_task_until_its_keeper_has_erased(world, accounts, place):
    case = world.finish(accepted(world, kept(place=place)))
    one = LocationException.objects.get()
    with pytest.raises(MoveNotAllowed, match="after the exception has ended"):
        workflow.note_place_erased(exception_id=one.pk, user=officer())
    after_its_day(one)
    exceptions.end_due(now=timezone.now())
    assert list(waiting_to_be_erased()) == [one]
    with pytest.raises(MoveNotAllowed):
        workflow.erase_excepted(exception_id=one.pk, user=officer())
    assert workflow.note_place_erased(exception_id=one.pk, user=officer())
    assert not workflow.note_place_erased(exception_id=one.pk, user=officer())
    assert not waiting_to_be_erased().exists()
    assert logged(case, "excepted_place_erased") == [
        {"exception": str(one.pk), "code": "ART_17_3_B"}
    ]


def test_L17_a_place_whose_exception_ended_too_late_is_a_task(world, accounts, monkeypatch):
    case = accepted(world, kept(place="accounts"))
    one = LocationException.objects.get()
    real = places.erase_places

    def then(**arguments: Any) -> None:  # noqa: ANN401
        real(**arguments)
        after_its_day(one)
        exceptions.end_due(now=timezone.now())

    monkeypatch.setattr(places, "erase_places", then)
    assert world.finish(case).status == "SEALED"
    assert list(waiting_to_be_erased()) == [one]


def test_L17_a_place_that_an_earlier_case_excepted_is_kept_in_the_next_request(world, accounts):
    world.finish(accepted(world, kept(place="accounts")))
    assert excepted_locations(world.ask(BERT)) == {}
    case = world.wake(world.ask())
    world.work()
    case = world.finish(accepted(world, case=now_of(case)))
    row = LocationResult.objects.get(case=case)
    assert (case.status, row.result, row.found) == ("SEALED", "RESTRICTED", 1)
    assert row.reason.startswith("ART_17_3_B until ")
    assert User.objects.filter(email=ADA).exists()
    third = world.ask()
    assert excepted_locations(third) == {"accounts": row.reason}
    after_its_day(LocationException.objects.get())
    exceptions.end_due(now=timezone.now())
    assert excepted_locations(third) == {}
