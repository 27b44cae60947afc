"""Where else data of a person may lie, and what every kind of place has in common.

A kind of place is one file of ``lineage/locations``: a frozen dataclass whose fields are its
settings, each ``Annotated`` with a ``Setting``. The public methods are final: they keep whatever
goes wrong inside a plug-in from repeating an identifier. A file implements ``_find``, ``_erase``
and ``_reach``.
"""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, final

from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Iterator

DELETED: Final = "DELETED"
MASKED: Final = "MASKED"


class LocationNotReachable(Exception):
    """A place did not do what it was asked; the sentence names nobody."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """The identifiers of one person, for as long as places are asked about them.

    Neither ``repr`` nor a message shows them, and nothing stores them.
    """

    email: str = field(repr=False)
    further: tuple[str, ...] = field(default=(), repr=False)

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Each identifier as it was given, once."""
        given = (one.strip() for one in (self.email, *self.further))
        return tuple(dict.fromkeys(one for one in given if one))

    @property
    def folded(self) -> tuple[str, ...]:
        """Each identifier in the spelling that is compared (``fold``), once."""
        return tuple(dict.fromkeys(map(fold, self.identifiers)))

    def is_named(self, value: object) -> bool:
        """Return whether a stored value is one of the identifiers, whatever its case."""
        return value is not None and fold(str(value)) in self.folded


def fold(text: str) -> str:
    """Return the spelling under which identifiers are compared: NFC, trimmed, in lower case."""
    return unicodedata.normalize("NFC", text).strip().lower()


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many things of a person a place holds, and what the place itself knows them by."""

    count: int
    handle: object = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How many things a place let go of; ``how`` is ``DELETED``, or ``MASKED`` for a residual."""

    count: int
    how: str = DELETED


class Place(ABC):
    """One place where data of people lie."""

    title: ClassVar[str]

    @property
    def how(self) -> str:
        """``DELETED``, or ``MASKED`` where erasing leaves rows that name nobody."""
        return MASKED if getattr(self, "mask", ()) else DELETED

    @final
    def find(self, person: Person) -> Found:
        """Count what is held of a person. Raises LocationNotReachable."""
        with _said_by_us():
            return self._find(person)

    @final
    def erase(self, person: Person) -> Erased:
        """Erase what is held of a person; again, it finds nothing. Raises LocationNotReachable."""
        with _said_by_us():
            return self._erase(person)

    @final
    def read_back(self, person: Person) -> int:
        """Count what is left of a person, by looking again. Raises LocationNotReachable."""
        with _said_by_us():
            return self._read_back(person)

    @final
    def reach(self) -> str:
        """Say in a sentence what is there, without anybody's data. Raises LocationNotReachable."""
        with _said_by_us():
            return self._reach()

    @abstractmethod
    def _find(self, person: Person) -> Found:
        """See ``find``."""

    @abstractmethod
    def _erase(self, person: Person) -> Erased:
        """See ``erase``."""

    @abstractmethod
    def _reach(self) -> str:
        """See ``reach``."""

    def _read_back(self, person: Person) -> int:
        return self._find(person).count


@contextmanager
def _said_by_us() -> Iterator[None]:
    """Let only our own sentences out: a driver's message may repeat a parameter, so a person."""
    try:
        yield
    except LocationNotReachable as error:
        raise LocationNotReachable(str(error)) from None
    except Exception as error:  # noqa: BLE001  (whatever a driver raises: the case must stop)
        raise LocationNotReachable(
            worded(
                "It could not be read or written (%(name)s). Check that it is there and that"
                " this installation may write to it.",
                name=type(error).__name__,
            )
        ) from None
