"""The register of cases: what came, when, and what became of it, without a word about anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

COLUMNS = (
    *("case", "reference", "kind", "channel", "received_on", "due_on", "status", "outcome"),
    *("ground", "refusal_code", "verified_on", "accepted_on", "erased_on", "sealed_on", "record"),
)


def case_register(
    *, since: date | None = None, until: date | None = None
) -> Iterator[dict[str, str]]:
    """Yield a row, by ``COLUMNS``, for each case received from one day to another, both included.

    Days are UTC; what has not happened is empty. ``record`` is the SHA-256 of the sealed record.
    No row holds an address, a name, a free text or a key of a person; a row may still single
    somebody out for who knows when they asked.
    """
    found = ErasureRequest.objects.order_by("received_at", "reference").select_related("record")
    if since:
        found = found.filter(received_at__date__gte=since)
    if until:
        found = found.filter(received_at__date__lte=until)
    for case in found:
        yield _row(case)


def _row(case: ErasureRequest) -> dict[str, str]:
    record = getattr(case, "record", None)
    values = (
        *(str(case.pk), case.reference, case.kind, case.channel, _day(case.received_at)),
        *(case.due_on.isoformat() if case.due_on else "", case.status, case.outcome),
        *(case.ground, case.refusal_code, _day(case.verified_at), _day(case.accepted_at)),
        *(_day(case.erased_at), _day(case.sealed_at), record.sha256 if record else ""),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _day(at: datetime | None) -> str:
    return at.date().isoformat() if at else ""
