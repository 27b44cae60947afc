"""Make a row of any table, with as little as its columns ask for."""

from __future__ import annotations

import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, models, transaction
from django.utils import timezone
from pyroaring import BitMap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_numbers = count(1)
DEEPEST = 6


def full_row(model: type[models.Model]) -> models.Model | None:
    """Return a new row that names as many other rows as its table allows."""
    names = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.null
    ]
    moments = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.DateTimeField) and field.null
    ]
    wanted = [names, *([name] for name in names), [], moments]
    return next((row for some in wanted if (row := any_row(model, also=some))), None)


def any_row(
    model: type[models.Model], depth: int = 0, also: Iterable[str] = ()
) -> models.Model | None:
    """Return a new row; None where a constraint of the table asks for more than its columns do."""
    if depth > DEEPEST:
        return None
    only_one = any(
        getattr(one, "condition", None) == models.Q(id=1) for one in model._meta.constraints
    )
    # Its number, as tests that emptied the table may have used it up.
    values: dict[str, Any] = {"id": 1} if only_one else {}
    for field in model._meta.concrete_fields:
        idle = field.has_default() or field.null or isinstance(field, models.AutoField)
        if idle and field.name not in also:
            continue
        if isinstance(field, models.ForeignKey):
            values[field.name] = any_row(field.related_model, depth + 1)
            if values[field.name] is None:
                return None
        else:
            values[field.name] = _value(field, next(_numbers))
    try:
        with transaction.atomic():
            return model._default_manager.create(**values)
    except DatabaseError:
        return None


def _value(field: models.Field[Any, Any], number: int) -> object:
    if field.choices:
        return next(code for code, _ in field.flatchoices if code)
    for kind, make in _MAKERS:
        if isinstance(field, kind):
            return make(number)
    return f"x{number}"[: field.max_length or 9]


_MAKERS: list[tuple[type[models.Field[Any, Any]], Callable[[int], object]]] = [
    (models.DateTimeField, lambda _number: timezone.now()),
    (models.DateField, lambda _number: timezone.now().date()),
    (models.BooleanField, lambda _number: True),
    (models.UUIDField, lambda _number: uuid.uuid4()),
    (models.JSONField, lambda number: {"x": number}),
    (models.BinaryField, lambda number: BitMap([number]).serialize()),
    (models.FloatField, lambda number: 1 / (number + 1)),
    (models.IntegerField, lambda number: number),
]
