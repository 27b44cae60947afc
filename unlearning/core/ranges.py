"""Hyperparameter ranges, written where the hyperparameter is declared.

``learning_rate: Annotated[float, Range(1e-5, 1e-1, log=True, help="size of a step")] = 0.1``
serves validation, the search space, the limits of a form and the documentation at once.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, fields
from inspect import get_annotations
from types import SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class OutOfRange(ValueError):
    """A hyperparameter has a value that its declaration does not allow."""


@dataclass(frozen=True)
class Range:
    """A closed interval, searched on a log scale when ``log`` is set.

    A log scale has no zero: where ``low`` is 0, the search begins at ``searched_from``.
    """

    low: float
    high: float
    log: bool = False
    help: str = ""
    searched_from: float | None = None

    @property
    def least(self) -> float:
        """The smallest value that a search draws."""
        return self.low if self.searched_from is None else self.searched_from

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"[{self.low:g}, {self.high:g}]{self._scale}"

    @property
    def _scale(self) -> str:
        if self.searched_from is not None:
            scale = "log, " if self.log else ""
            return f" ({scale}searched from {self.searched_from:g})"
        return " (log)" if self.log else ""


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """One declared number: its name, its type, its range and whether it may be left out."""

    name: str
    kind: type[int] | type[float]
    allowed: Range
    optional: bool

    def checked(self, value: object) -> int | float | None:
        """Return ``value`` as the declared type.

        Raises:
            OutOfRange: it is not such a number, or lies outside the range.
        """
        if value is None and self.optional:
            return None
        if isinstance(value, bool) or not isinstance(value, int | self.kind):
            noun = "a whole number" if self.kind is int else "a number"
            raise OutOfRange(f"is {value!r}, which is not {noun} in {self.allowed}")
        number = self.kind(value)
        if number not in self.allowed:
            raise OutOfRange(f"is {value!r}, outside {self.allowed}")
        return number


def hyperparameters(cls: type[DataclassInstance]) -> tuple[Hyperparameter, ...]:
    """Return the ranged fields of a dataclass, in the order they are declared."""
    hints = _field_hints(cls)
    found = (_declared(field.name, hints.get(field.name)) for field in fields(cls))
    return tuple(each for each in found if each is not None)


def _field_hints(cls: type[DataclassInstance]) -> dict[str, Any]:
    """Return the annotations of the fields, without those that name what is not importable."""
    hints: dict[str, Any] = {}
    names = {field.name for field in fields(cls)}
    for base in reversed(cls.__mro__):
        scope = vars(sys.modules[base.__module__])
        for name, hint in get_annotations(base).items():
            if name not in names:
                continue
            hints.pop(name, None)  # a field declared again is declared anew
            holder = SimpleNamespace(__annotations__={name: hint})
            with suppress(NameError):  # it names what is imported for type checking only
                hints |= get_type_hints(holder, scope, include_extras=True)
    return hints


def _declared(name: str, hint: Any) -> Hyperparameter | None:  # noqa: ANN401  (any annotation)
    if get_origin(hint) is not Annotated:
        return None
    plain, *extras = get_args(hint)
    kinds = get_args(plain) if isinstance(plain, UnionType) else (plain,)
    for allowed in extras:
        if isinstance(allowed, Range):
            kind = int if int in kinds else float
            optional = type(None) in kinds
            return Hyperparameter(name=name, kind=kind, allowed=allowed, optional=optional)
    return None


def check_ranges(instance: DataclassInstance) -> None:
    """Hold each ranged field of a frozen dataclass to its declaration.

    A whole number given for a float becomes a float, so that equal settings have equal digests
    whether they were written in Python or came back from JSON.

    Raises:
        OutOfRange: the message names class, field, value and range.
    """
    for declared in hyperparameters(type(instance)):
        try:
            number = declared.checked(getattr(instance, declared.name))
        except OutOfRange as problem:
            where = f"{type(instance).__name__}.{declared.name}"
            raise OutOfRange(f"{where} {problem}.") from None
        object.__setattr__(instance, declared.name, number)
