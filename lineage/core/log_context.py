"""What a line of the process logs is about: a request, a job, a case; never a person."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


def about() -> Mapping[str, str]:
    """Return what is bound here: of ``request``, ``job`` and ``case`` those that are known."""
    return _ABOUT.get()


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Say of every line inside what it is about, besides what was said outside.

    Args:
        fields: ids and case numbers; they are written to logs, so nothing about a person.
    """
    token = _ABOUT.set(MappingProxyType({**_ABOUT.get(), **fields}))
    try:
        yield
    finally:
        _ABOUT.reset(token)
