"""Add up how often callers asked, over all versions of a model and all processes that serve it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from audits.core.canonical import write_json
from audits.models import QueryCount, QueryReport, VersionQueries
from audits.queries.query_counts import days_kept, totals
from audits.queries.serving import check_reader
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID


class ReportChanged(ValueError):
    """A report of this identifier said something else."""


class NotOfModel(ValueError):
    """A report says that a version answered which is none of its model, or was not given."""


class DayRefused(ValueError):
    """Counts of this day are not kept any more, or the day has not come."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one process counted since its last report.

    ``answers`` are by digests of callers, ``served`` by the versions that gave them, if told.
    """

    id: UUID
    reader: str
    model_name: str
    day: date
    answers: Mapping[str, int]
    served: Mapping[UUID, int] = field(default_factory=dict)


@transaction.atomic
def add_report(*, report: Report, now: datetime) -> dict[str, int]:
    """Add the counts of a report, and return what each caller in it had that day; again, the same.

    Raises:
        VersionNotHere: there is no such model.
        ReaderNotGiven: the reader was never given a version of it.
        DayRefused: the day is too long ago, or yet to come.
        NotOfModel: a version in it is another model's, or the reader was never given it.
        ReportChanged: a report of this identifier was another one.
    """
    check_reader(report.reader, report.model_name)
    _check_day(report.day, now)
    _check_served(report)
    digest = _digest(report)
    known, new = QueryReport.objects.get_or_create(
        pk=report.id,
        defaults={
            "reader": report.reader,
            "day": report.day,
            "digest": digest,
            "received_at": now,
        },
    )
    if known.digest != digest:
        raise ReportChanged(
            f"The report {report.id} said something else; give a new one a new id."
        )
    if new:
        _add(report)
        _add_served(report, now)
    return totals(report.model_name, report.day, report.answers)


def forget_counts(*, now: datetime) -> int:
    """Delete counts, and which reports they are from, once they are not kept any more."""
    before = now.date() - timedelta(days=days_kept())
    QueryReport.objects.filter(day__lt=before).delete()
    VersionQueries.objects.filter(day__lt=before).delete()
    count, _ = QueryCount.objects.filter(day__lt=before).delete()
    return count


def _check_day(day: date, now: datetime) -> None:
    first, last = now.date() - timedelta(days=days_kept()), now.date() + timedelta(days=1)
    if not first <= day <= last:
        raise DayRefused(f"day is {day}; allowed are {first} to {last}.")


def _check_served(report: Report) -> None:
    of_model = ModelVersion.objects.filter(
        model_name=report.model_name, pk__in=report.served, readings__reader=report.reader
    )
    strange = set(report.served) - set(of_model.values_list("pk", flat=True))
    if strange:
        raise NotOfModel(
            f"served names {min(strange)}, no version of {report.model_name} that "
            f"{report.reader} was given."
        )


def _digest(report: Report) -> str:
    told: dict[str, object] = {
        "reader": report.reader,
        "model": report.model_name,
        "day": str(report.day),
        "answers": dict(report.answers),
    }
    if report.served:  # else the digest is that of a report by a client that tells none
        told["served"] = {str(version): count for version, count in report.served.items()}
    return sha256(write_json(told)).hexdigest()


def _add(report: Report) -> None:
    """Make the rows that are missing, then add in the database: others count as well."""
    rows = [
        QueryCount(model_name=report.model_name, day=report.day, caller=caller, answers=0)
        for caller in sorted(report.answers)
    ]
    QueryCount.objects.bulk_create(rows, ignore_conflicts=True)
    of_day = QueryCount.objects.filter(model_name=report.model_name, day=report.day)
    for caller, answers in sorted(report.answers.items()):
        of_day.filter(caller=caller).update(answers=F("answers") + answers)


def _add_served(report: Report, now: datetime) -> None:
    rows = [
        VersionQueries(version_id=version, day=report.day, answers=0, reported_at=now)
        for version in sorted(report.served)
    ]
    VersionQueries.objects.bulk_create(rows, ignore_conflicts=True)
    of_day = VersionQueries.objects.filter(day=report.day)
    for version, answers in sorted(report.served.items()):
        row = of_day.filter(version=version)
        row.update(answers=F("answers") + answers, reported_at=now)
