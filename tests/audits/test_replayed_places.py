"""After a restore the registered places are asked again, or named to be looked through by hand."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audits.models import LocationResult
from lineage.core.places import LocationNotReachable
from lineage.locations.django_model import DjangoModel
from lineage.services.journal import read_journal
from lineage.services.locations import NewLocation, register_location
from tests.audits.backups import bring_back, whole_backup
from tests.audits.world import ADA

pytestmark = [
    pytest.mark.django_db(transaction=True),  # a backup does not copy an open transaction
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="copies the database by SQLite's API"
    ),
]


@pytest.fixture
def accounts(world) -> None:
    """A registered place, in the database that is restored, with a row of Ada's."""
    User.objects.create(username="customer", email=ADA)
    settings = {"model": "auth.User", "field": "email"}
    new = NewLocation(slug="accounts", kind="django_model", purpose="accounts", settings=settings)
    register_location(new=new, now=timezone.now())


def hers() -> int:
    return User.objects.filter(email=ADA).count()


def replay(capsys) -> dict[str, list[dict[str, object]]]:
    capsys.readouterr()
    call_command("replay_erasures", "--json")
    told: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)["places"]
    return told


def test_L17_a_restored_place_is_erased_from_again_and_read_back(
    world, accounts, capsys, monkeypatch
):
    case = world.accepted()
    kept = whole_backup()
    world.work()
    assert hers() == 0
    bring_back(kept)
    assert hers() == 1

    def away(*_: object) -> None:
        raise LocationNotReachable("It is away.")

    with monkeypatch.context() as broken:
        broken.setattr(DjangoModel, "_find", away)
        with pytest.raises(CommandError, match=r"accounts: .* Then run this again\."):
            call_command("replay_erasures")
    assert hers() == 1
    assert replay(capsys) == {
        "erased": [{"case": case.reference, "place": "accounts", "result": "DELETED"}],
        "stuck": [],
        "by_hand": [],
    }
    assert hers() == 0
    assert LocationResult.objects.get().verified_at
    assert replay(capsys)["erased"] == []  # a second time there is nothing left to do


def test_a_place_is_named_where_the_journal_does_not_say_whom_to_look_for(world, accounts, capsys):
    kept = whole_backup()
    world.accepted()
    world.work()
    bring_back(kept)
    (line,) = read_journal()
    told = replay(capsys)
    assert told["by_hand"] == [{"case": line.case_id, "places": ["accounts"]}]
    assert (told["erased"], hers()) == ([], 1)
