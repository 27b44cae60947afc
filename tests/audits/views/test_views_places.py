"""The registers of places and backups, in pages and commands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from audits.core import events
from audits.models import LogLeaf
from audits.services import registers
from audits.services.rights import NotAllowed, give_role, make_roles
from lineage.core.place_settings import SettingRefused
from lineage.models import Backup, Location
from lineage.services.locations import NewLocation
from lineage.services.suppression import suppress_people

pytestmark = pytest.mark.django_db
ACCOUNTS = {
    "slug": "accounts",
    "purpose": "accounts of customers",
    "category": "DATA",
    "set_model": "auth.User",
    "set_field": "email",
    "active": "on",
}
BACKUP = {"name": "nightly", "covers": "database", "made": "2026-03-02", "expires": "2026-06-02"}


@pytest.fixture
def keeper():
    make_roles()
    user = User.objects.create_user("keeper", is_staff=True)
    give_role(user=user, role="Administrator")
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    return " ".join(response.content.decode().split())


def logged():
    leaves = LogLeaf.objects.order_by("index")
    return [(leaf.type, events.parse(bytes(leaf.data)).actor.split(":")[0]) for leaf in leaves]


def command(*words: str):
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_empty_registers_say_so_and_whoever_reads_cannot_keep_them(reader):
    text = text_of(reader.get("/places/"))
    assert "No place is registered." in text
    assert "No backup is registered." in text
    assert "Add a place" not in text
    assert 'aria-current="page">Places</a>' in text
    assert reader.get("/places/new/django_model/").status_code == 403
    assert reader.post("/places/new/django_model/", ACCOUNTS).status_code == 403
    assert not Location.objects.exists()


def test_a_place_is_added_tried_and_changed(keeper):
    assert "set_mask" in text_of(keeper.get("/places/new/django_model/"))
    assert keeper.post("/places/new/django_model/", ACCOUNTS).status_code == 302
    kept = Location.objects.get()
    assert (kept.slug, kept.settings) == ("accounts", {"model": "auth.User", "field": "email"})
    tried = keeper.post("/places/accounts/try/", follow=True)
    assert "accounts: auth.User holds 1 rows." in text_of(tried)
    changed = {**ACCOUNTS, "slug": "other", "set_field": "username"}
    del changed["active"]
    assert keeper.post("/places/accounts/", changed).status_code == 302
    kept.refresh_from_db()
    assert (kept.slug, kept.settings["field"], kept.active) == ("accounts", "username", False)
    assert "Not in use" in text_of(keeper.get("/places/"))
    assert logged() == [("location_registered", "staff")] * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"set_model": "auth.Nobody"}, "Model: It is &#x27;auth.Nobody&#x27;; allowed is"),
        ({"set_mask": "email"}, "not deleted: It is &#x27;&#x27;; allowed is a reason"),
        ({"set_field": ""}, "Field: Fill this in."),
        ({"slug": "Accounts"}, "Short name: It is &#x27;Accounts&#x27;; allowed are"),
    ],
)
def test_a_wrong_place_is_refused_in_a_sentence_and_nothing_is_kept(keeper, change, said):
    response = keeper.post("/places/new/django_model/", {**ACCOUNTS, **change})
    assert response.status_code == 400
    assert said in text_of(response)
    assert not Location.objects.exists()
    assert logged() == []


def test_every_kind_has_a_form(keeper):
    listed = text_of(keeper.get("/places/"))
    for kind in ("files", "image_folder", "sql_table", "tables", "vector_index", "webhook"):
        assert f"/places/new/{kind}/" in listed
        assert keeper.get(f"/places/new/{kind}/").status_code == 200
    assert keeper.get("/places/new/paper/").status_code == 404


def test_a_secret_does_not_come_into_the_database(keeper):
    form = {"slug": "t", "purpose": "x", "category": "DATA", "set_column": "email"}
    address = "https://user:hidden@host/a.csv"
    response = keeper.post("/places/new/tables/", {**form, "set_pattern": address})
    assert response.status_code == 400
    assert "user name or a password" in text_of(response)


def test_a_backup_is_added_and_shown_as_overdue_until_it_is_destroyed(keeper):
    assert keeper.post("/places/backups/new/", BACKUP).status_code == 302
    Backup.objects.update(
        expires_at=timezone.now() - timedelta(days=1),
        made_at=datetime.min.replace(year=2020, tzinfo=UTC),
    )
    assert "1 overdue" in text_of(keeper.get("/places/"))
    gone = f"/places/backups/{Backup.objects.get().pk}/destroyed/"
    assert "no answer names this backup" in text_of(keeper.get(gone))
    assert Backup.objects.get().destroyed_at is None
    keeper.post(gone)
    again = keeper.get(gone, follow=True)
    assert "noted as destroyed before" in text_of(again)
    assert "Destroyed on" in text_of(keeper.get("/places/"))
    assert logged() == [("backup_registered", "staff"), ("backup_destroyed", "staff")]


def test_a_backup_that_expires_before_it_is_made_is_refused(keeper):
    response = keeper.post("/places/backups/new/", {**BACKUP, "expires": "2026-03-01"})
    assert response.status_code == 400
    said = "To be destroyed on: It is 2026-03-01; allowed is a day after 2026-03-02"
    assert said in text_of(response)


def test_services_ask_for_the_right_whatever_a_page_shows(reader):
    user = User.objects.get(username="reader")
    new = NewLocation(slug="a", kind="django_model", purpose="x")
    now = timezone.now()
    with pytest.raises(NotAllowed, match="Administrator"):
        registers.keep_location(new=new, user=user, now=now)
    with pytest.raises(NotAllowed, match="Administrator"):
        registers.try_location(slug="a", user=user)
    with pytest.raises(NotAllowed, match="Administrator"):
        registers.destroy_backup(name="a", user=user, now=now)


def test_a_place_is_kept_by_command(db):
    settings = json.dumps({"model": "auth.User", "field": "email"})
    add = ("locations", "add", "accounts", "django_model", "--settings", settings)
    assert "accounts is registered" in command(*add, "--purpose", "customers")
    (listed,) = json.loads(command("locations", "--json", "list"))
    assert listed["slug"] == "accounts"
    assert listed["active"]
    assert "auth.User holds 0 rows." in command("locations", "try", "accounts")
    with pytest.raises(CommandError, match="which another place has"):
        command(*add, "--purpose", "customers")
    assert "is removed" in command("locations", "remove", "accounts")
    with pytest.raises(CommandError, match="There is no place 'accounts'"):
        command("locations", "try", "accounts")
    assert "No place is registered." in command("locations")
    assert logged() == [("location_registered", "system"), ("location_removed", "system")]


def test_backups_and_drills_are_kept_by_command(db):
    add = ("backups", "add", "nightly", "--covers", "database", "--made", "2026-03-02")
    assert "is registered" in command(*add, "--expires", "2026-03-09")
    with pytest.raises(CommandError, match="Overdue, destroy them: nightly"):
        command("backups")
    command("backups", "destroyed", "nightly")
    command("backups", "drilled", "nightly")
    told = json.loads(command("backups", "--json"))
    assert told["backups"][0]["state"] == "DESTROYED"
    assert told["last_drill"]
    with pytest.raises(CommandError, match="There is no backup 'weekly'"):
        command("backups", "drilled", "weekly")


def test_a_kind_that_is_gone_does_not_break_the_page(keeper):
    Location.objects.create(slug="old", kind="gone", purpose="x", created_at=timezone.now())
    assert "old" in text_of(keeper.get("/places/"))
    assert "kind is &#x27;gone&#x27;; allowed are" in text_of(
        keeper.post("/places/old/try/", follow=True)
    )
    with pytest.raises(SettingRefused, match="kind is 'gone'"):
        registers.try_location(slug="old", user=None)


def test_the_sweep_ends_what_was_on_the_suppression_list_long_enough_and_says_so(settings):
    now = timezone.now()
    suppress_people(["0" * 64], now=now - timedelta(days=40))
    suppress_people(["1" * 64], now=now)
    assert registers.expire_suppressions(now=now) == 0
    settings.EXPUNGE_SUPPRESSION_DAYS = 30
    assert [registers.expire_suppressions(now=now) for _ in range(2)] == [1, 0]
    (leaf,) = LogLeaf.objects.filter(type="suppression_expired")
    assert dict(events.parse(bytes(leaf.data)).data) == {"count": 1, "remaining": 1}
