"""Every address of the site, by its map: pages, admin, accounts and API."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from django.urls import get_resolver
from django.urls.converters import IntConverter, UUIDConverter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOWHERE = uuid.UUID(int=7)
MADE_UP = {UUIDConverter: str(NOWHERE), IntConverter: "7"}
# What anybody may open: people's own pages, the way in, health, and what the API is.
OPEN = {
    *("", "erasure/", "erasure/kind/", "erasure/more/", "erasure/email/", "erasure/check/"),
    *("erasure/received/", "erasure/confirmed/", "erasure/<slug:wish>/"),
    *("erasure/confirm/<str:token>/", "erasure/answer/<str:token>/", "told/<str:token>/"),
    *("erasure/status/<str:token>/", "erasure/status/<str:token>/progress/"),
    *("erasure/status/<str:token>/withdraw/", "erasure/status/<str:token>/record.json"),
    *("erasure/status/<str:token>/verify.py", "erasure/status/<str:token>/report.pdf"),
    *("accounts/login/", "admin/login/", "accounts/inactive/", "accounts/cancelled/"),
    *("accounts/error/", "accounts/second-factor/webauthn/login/"),
    *("healthz", "api/v1/health", "api/v1/health/live", "api/v1/openapi.json", "api/v1/docs"),
}
# Every row of the admin has these; Django's own refusal of them is the same for each.
OF_ROWS = ("object_id>/", "/add/", "/change/", "/delete/", "/history/")
# Pages that somebody has of their own, or that ask for a key.
OWN = ("accounts/", "erasure/", "told/", "healthz", "api/")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


class Address(NamedTuple):
    """One address: ``route`` as the map says it, and something in place of each parameter."""

    route: str
    name: str
    wanted: tuple[str, ...]
    path: str
    exempt: bool  # from the protection against forged posts


def every_address() -> Iterator[Address]:
    """Yield each address of the site once."""
    seen = set()
    for route, view, converters in _flat(get_resolver().url_patterns):
        if route in seen or "rest>" in route:  # what the API says of all that is not there
            continue
        seen.add(route)
        exempt = getattr(view.callback, "csrf_exempt", False)
        path = _filled(route, converters)
        yield Address(route, view.name or "", tuple(converters), path, exempt)


def from_the_street() -> list[tuple[Address, str]]:
    """Every address with each method by which somebody without an account tries it."""
    return [
        (one, method)
        for one in every_address()
        for method in (("get",) if _of_rows(one) else ("get", "post"))
    ]


def of_the_work() -> list[Address]:
    """The addresses that somebody who is signed in without a role has no business with."""
    others = [one for one in every_address() if one.route not in OPEN]
    return [
        one for one in others if not one.route.startswith(OWN) and not one.route.endswith(OF_ROWS)
    ]


def forgeable() -> list[Address]:
    """Every ninth address that takes cookies."""
    return [one for one in every_address() if not one.exempt][::9]


def framed() -> list[Address]:
    """The addresses that are tried in a frame: of the admin those without a row."""
    return [
        one
        for one in every_address()
        if not one.route.startswith("admin/") or "<" not in one.route
    ]


def with_token() -> list[Address]:
    """The addresses that hold the secret of a person."""
    return [one for one in every_address() if "token" in one.wanted]


def _of_rows(one: Address) -> bool:
    return one.route.startswith("admin/") and one.route.endswith(OF_ROWS)


def _filled(route: str, converters: dict[str, Any]) -> str:
    def made_up(found: re.Match[str]) -> str:
        return MADE_UP.get(type(converters.get(found[1] or found[2])), "x")

    return "/" + re.sub(r"[\^$\\]|\\Z", "", PARAMETER.sub(made_up, route))


def _flat(
    patterns: Iterable[Any], outer: str = "", known: dict[str, Any] | None = None
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for one in patterns:
        route = outer + str(one.pattern)
        named = dict.fromkeys(getattr(getattr(one.pattern, "regex", None), "groupindex", ()))
        converters = {**(known or {}), **named, **one.pattern.converters}
        if hasattr(one, "url_patterns"):
            yield from _flat(one.url_patterns, route, converters)
        else:
            yield route, one, converters
