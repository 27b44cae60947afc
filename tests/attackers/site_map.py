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
