"""The editions of a case's report that are stored, and the records for the public edition."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from audits.core import events
from audits.core.editions import Edition
from audits.models import ComplianceRecord, Letter, LogLeaf
from audits.queries.answering import PREFIX
from lineage.models import Artefact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from audits.models import ErasureRequest

EXPORTED = "edition_exported"


def editions_of(request: ErasureRequest) -> dict[tuple[Edition, str], Artefact]:
    """Return the stored editions of a case by edition and language, as the log names them."""
    leaves = LogLeaf.objects.filter(case_id=request.pk, type=EXPORTED).order_by("index")
    logged = [events.parse(bytes(leaf.data)).data for leaf in leaves]
    digests = {
        (Edition(str(one["edition"])), str(one["language"])): str(one["digest"]) for one in logged
    }
    stored = Artefact.objects.filter(sha256__in=digests.values(), kind=Artefact.Kind.REPORT)
    by_digest = {row.sha256: row for row in stored.order_by("created_at")}
    return {name: by_digest[digest] for name, digest in digests.items() if digest in by_digest}


def for_the_person(request: ErasureRequest, language: str) -> Artefact | None:
    """Return the person's edition in this language, or in that of the case; none before an answer.

    A person is told by letter first: the edition is offered once the answer has left.
    """
    left = Q(sent_at__isnull=False) | Q(posted_on__isnull=False)
    if not Letter.objects.filter(left, request=request, code__startswith=PREFIX).exists():
        return None
    found = editions_of(request)
    spoken = (language, request.locale.partition("-")[0])
    return next(
        (found[Edition.PERSON, one] for one in spoken if (Edition.PERSON, one) in found), None
    )


def sealed_records(*, since: date, until: date) -> Iterator[bytes]:
    """Yield the records of cases sealed in a period, both days included, as the clock counts."""
    zone = ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)
    first = datetime.combine(since, time(), tzinfo=zone)
    after = datetime.combine(until + timedelta(days=1), time(), tzinfo=zone)
    rows = ComplianceRecord.objects.filter(created_at__gte=first, created_at__lt=after)
    for data in rows.order_by("seal_index").values_list("data", flat=True).iterator():
        yield bytes(data)
