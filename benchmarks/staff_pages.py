"""Which pages of staff there are, by the map of addresses. Import it once Django is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

APPS = ("audits", "lineage")


def staff_pages() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each page of staff, and the names of what its address is made with.

    Those that are only posted to are among them. What the public opens is not: it begins with
    ``erasure`` or holds a token.
    """
    for app in APPS:
        for name, wanted in _flat(get_resolver(f"{app}.urls").url_patterns):
            yield f"{app}:{name}", wanted


def _flat(patterns: Iterable[Any], outer: tuple[str, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    for one in patterns:
        wanted = [*outer, *one.pattern.converters]
        if str(one.pattern).startswith("erasure") or "token" in wanted:
            continue
        if hasattr(one, "url_patterns"):
            yield from _flat(one.url_patterns, tuple(wanted))
        else:
            yield one.name, wanted
