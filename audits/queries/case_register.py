"""The register of cases: what came, when, and what became of it, without a word about anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, overload

from audits.models import ErasureRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

COLUMNS = (
    *("case", "reference", "kind", "channel", "received_on", "due_on", "status", "outcome"),
    *("ground", "refusal_code", "verified_on", "accepted_on", "erased_on", "sealed_on", "record"),
)


# What each column but ``record`` is read from, in their order.
_FIELDS = (
    *("pk", "reference", "kind", "channel", "received_at", "due_on", "status", "outcome"),
    *("ground", "refusal_code", "verified_at", "accepted_at", "erased_at", "sealed_at"),
    "record__sha256",
)


@dataclass(frozen=True, kw_only=True)
class CaseRows(Sequence[dict[str, str]]):
    """Rows by ``COLUMNS``, of which only those are read that are asked for."""

    found: QuerySet[ErasureRequest]

    def __len__(self) -> int:
        return self.found.count()

    def __iter__(self) -> Iterator[dict[str, str]]:
        return map(_row, self.found.values_list(*_FIELDS).iterator())

    @overload
    def __getitem__(self, place: int) -> dict[str, str]: ...

    @overload
    def __getitem__(self, place: slice) -> list[dict[str, str]]: ...

    def __getitem__(self, place: int | slice) -> dict[str, str] | list[dict[str, str]]:
        rows = self.found.values_list(*_FIELDS)
        return [*map(_row, rows[place])] if isinstance(place, slice) else _row(rows[place])


def case_register(*, since: date | None = None, until: date | None = None) -> CaseRows:
    """Return a row, by ``COLUMNS``, for each case received from one day to another, both included.

    Days are UTC; what has not happened is empty. ``record`` is the SHA-256 of the sealed record.
    No row holds an address, a name, a free text or a key of a person; a row may still single
    somebody out for who knows when they asked.
    """
    found = ErasureRequest.objects.order_by("received_at", "reference")
    if since:
        found = found.filter(received_at__gte=datetime.combine(since, time(), UTC))
    if until:
        after = datetime.combine(until, time(), UTC) + timedelta(days=1)
        found = found.filter(received_at__lt=after)
    return CaseRows(found=found)


def _row(values: tuple[Any, ...]) -> dict[str, str]:
    return dict(zip(COLUMNS, map(_text, values), strict=True))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value)
