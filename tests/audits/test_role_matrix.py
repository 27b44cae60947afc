"""L22: who may do what, held against the table. Every action and every page of staff has a row."""

from __future__ import annotations

import inspect
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from audits import workflow
from audits.core import role_page
from audits.core.roles import ROLES
from audits.models import Decision
from audits.services.rights import NotAllowed
from audits.views.rights import ACTIONS as LOGGED
from tests.audits.role_table import (
    ACTIONS,
    ALL,
    EVERYBODY,
    NOWHERE,
    PAGES,
    POSTS,
    WITHOUT_ACTION,
    addresses,
    flat,
)
from tests.audits.world import member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


pytestmark = pytest.mark.django_db
OTHERS = ("superuser", "no role", "closed", "outsider")
MADE_UP: dict[str, Any] = {
    "decision": Decision(pk=NOWHERE, request_id=NOWHERE),
    "lift_on": date(2026, 5, 1),
    "review_on": date(2026, 5, 1),
    "posted_on": date(2026, 5, 1),
    "upheld": True,
    "requested": True,
    "findings": (),
    "identifiers": (),
    "ordinals": (),
}


@pytest.fixture(autouse=True)
def site(settings, tmp_path):
    settings.KEYS = tmp_path
    settings.STATIC_ROOT = tmp_path
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture
def bare_refusals(monkeypatch):
    """What is refused or not there answers by its status alone: to draw the page takes longer."""

    def bare(resolver, status):
        return lambda *_, **__: HttpResponse(status=status)

    monkeypatch.setattr(URLResolver, "resolve_error_handler", bare)


def person(role: str) -> User:
    """Somebody with one role, or one of ``OTHERS``."""
    if role in ROLES:
        return member(role, role)
    if role == "closed":
        user = member("closed", *ROLES)
        User.objects.filter(pk=user.pk).update(is_active=False)
        return User.objects.get(pk=user.pk)
    if role == "superuser":
        return User.objects.create_superuser("superuser")
    if role == "no role":
        return User.objects.create_user("no role", is_staff=True)
    user = member("outsider", *ROLES)  # rights without being of the staff are worth nothing
    User.objects.filter(pk=user.pk).update(is_staff=False)
    return User.objects.get(pk=user.pk)


def actions() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every action that somebody of the staff takes."""
    for name in workflow.__all__:
        action = getattr(workflow, name)
        if inspect.isfunction(action) and "user" in inspect.signature(action).parameters:
            yield name, action


def may(action: Callable[..., object], user: User) -> bool:
    """Whether an action gets past the question who may, on a case that is not there."""
    asked = {
        name: MADE_UP.get(name, NOWHERE if name.endswith("_id") else "X")
        for name, parameter in inspect.signature(action).parameters.items()
        if parameter.default is parameter.empty
    }
    try:
        with transaction.atomic():
            action(**{**asked, "user": user})
    except NotAllowed:
        return False
    except Exception:  # noqa: BLE001  (it was let in, and found nothing there)
        return True
    return True


def test_L22_every_action_has_a_row():
    assert {name for name, _ in actions()} == set(ACTIONS)


@pytest.mark.parametrize("role", [*ROLES, *OTHERS])
def test_L22_an_action_is_allowed_to_the_roles_of_its_row(role):
    user = person(role)
    found = {name for name, action in actions() if may(action, user)}
    assert found == {name for name, roles in ACTIONS.items() if role in {*roles, "superuser"}}


def test_L22_the_documented_table_is_the_one_that_is_enforced():
    told = {name: set(one.roles) for name, one in role_page.ACTIONS.items()}
    assert told == ACTIONS


def let_in(client: Client, name: str, address: str) -> str:
    """Return "in", "403" or "sign in" for a page, with what is posted to it where that differs."""
    found = client.get(address)
    if found.status_code == 405 or name in POSTS:
        found = client.post(address)
    if found.status_code == 302 and found.headers["Location"].startswith("/accounts/login/"):
        return "sign in"
    return "403" if found.status_code == 403 else "in"


def test_L22_every_page_has_a_row():
    assert {name for name, _ in addresses()} == {*PAGES, *EVERYBODY}
    assert EVERYBODY.isdisjoint(PAGES)


@pytest.mark.parametrize("role", [*ROLES, *OTHERS])
def test_L22_a_page_is_served_to_the_roles_of_its_row(role, bare_refusals):
    client = Client()
    client.force_login(person(role))
    refused = "sign in" if role == "closed" else "403"
    expected = {
        name: "in" if role in {*POSTS.get(name, roles), "superuser"} else refused
        for name, roles in PAGES.items()
    }
    staff = [(name, address) for name, address in addresses() if name in PAGES]
    assert {name: let_in(client, name, address) for name, address in staff} == expected


def test_L22_what_is_refused_on_a_page_of_a_case_is_logged_by_the_name_of_its_action():
    mine = {name: roles for name, roles in PAGES.items() if roles != ALL} | POSTS
    of_cases = [
        name
        for name, pattern in flat(get_resolver("audits.urls").url_patterns)
        if "case_id" in pattern and name in mine and name not in WITHOUT_ACTION
    ]
    named = {name: LOGGED.get(name, name) for name in of_cases}
    asked = {"extend", "drop_case", "approve_forget_set"}
    assert asked < set(named.values())
    assert {name: mine[name] for name in named} == {
        name: ACTIONS[action] for name, action in named.items()
    }


@pytest.mark.parametrize("role", ROLES)
def test_L22_the_forget_set_is_read_by_every_role(role):
    client = Client()
    client.force_login(member(role, role))
    assert client.get(reverse("audits:forget_set", args=[NOWHERE])).status_code == 404


def test_L22_whoever_is_not_signed_in_is_asked_to_and_people_are_not(bare_refusals):
    found = {name: let_in(Client(), name, address) for name, address in addresses()}
    assert {name for name, seen in found.items() if seen == "sign in"} == set(PAGES)
    assert {name for name, seen in found.items() if seen == "in"} == EVERYBODY
