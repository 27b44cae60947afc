"""The pages of staff as the URL map has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

APPS = ("audits", "lineage")


def pages_of_staff() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each page of staff, with its app, and what its address is made with."""
    for app in APPS:
        for name, wanted in _flat(get_resolver(f"{app}.urls").url_patterns):
            yield f"{app}:{name}", wanted


def _flat(patterns: Iterable[Any], outer: tuple[str, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    for one in patterns:
        wanted = [*outer, *one.pattern.converters]
        public = str(one.pattern).startswith("erasure") or "token" in wanted
        if public:
            continue
        if hasattr(one, "url_patterns"):
            yield from _flat(one.url_patterns, tuple(wanted))
        else:
            yield one.name, wanted
