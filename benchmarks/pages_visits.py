"""Visit every page of staff in a full installation. Import it once Django is set up."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audits.models import Decision, Evidence, LegalHold, Letter, LogCheckpoint, Recipient
from audits.queries import fleet_kept
from audits.queries.register_tables import REGISTERS
from benchmarks.staff_pages import staff_pages
from lineage.models import Dataset, DataSubject, Deployment, ModelVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

MOST_QUERIES, MOST_MS, MOST_KB = 25, 300.0, 300.0
NO_PAGE = 405  # only posted to
BROKEN = (302, 400, 401, 403, 500, 503)
# What a page keeps between visits is also measured without: (name of the row, what forgets it).
COLD = {"audits:all_evidence": ("after a change", fleet_kept.forget)}
LARGE = ("lineage:graph",)  # may be larger than the others: it holds a picture
# Lists as staff leave them: another part of them, a search, one that they are led to.
ASKED = {
    "audits:request_list": (
        "?show=closed",
        "?show=overdue",
        "?page=20",
        "?show=closed&page=100",
        "?q=7",
    ),
    "audits:event_log": ("?type=letter_sent", "?case={reference}"),
    "audits:all_evidence": ("?page=50",),
    "audits:register": ("?page=3",),
    "lineage:version_list": ("?q=faces", "?page=5"),
    "lineage:graph": (
        "?version={version_id}",
        "?person={person}",
        "?data={dataset}",
        "?version={version_id}&person={person}",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Visited:
    """What visits to one page found.

    ``waited`` is the share of the median in which the database was waited for, by one visit.
    """

    page: str
    address: str
    status: int
    queries: int
    kilobytes: float
    milliseconds: list[float] = field(default_factory=list)
    in_database: float = 0.0

    @property
    def p95(self) -> float:
        """The time that nineteen of twenty visits did not take longer than."""
        times = sorted(self.milliseconds)
        return times[math.ceil(0.95 * len(times)) - 1]

    @property
    def missed(self) -> list[str]:
        """Return in words which goals were missed."""
        found = []
        if self.status in BROKEN:
            found.append(f"{self.address}: status {self.status}")
        if self.queries > MOST_QUERIES:
            found.append(f"{self.address}: {self.queries} queries")
        if self.p95 > MOST_MS:
            found.append(f"{self.address}: p95 {self.p95:.0f} ms")
        if self.kilobytes > MOST_KB and self.page not in LARGE:
            found.append(f"{self.address}: {self.kilobytes:.0f} KB")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        times = sorted(self.milliseconds)
        return {
            "page": self.page,
            "asked": self.address.partition("?")[2],
            "status": self.status,
            "queries": self.queries,
            "kb": round(self.kilobytes, 1),
            "p50_ms": round(times[len(times) // 2], 1),
            "p95_ms": round(self.p95, 1),
            "database_ms": round(self.in_database, 1),
        }


def visit_all(staff: User, *, visits: int) -> tuple[list[Visited], list[str]]:
    """Return what was found at each page, and the pages of which the database holds nothing."""
    client = Client(headers={"host": "localhost"})
    client.force_login(staff)
    ids = _ids()
    seen: list[Visited] = []
    left: list[str] = []
    for page, wanted in staff_pages():
        missing = [name for name in wanted if ids.get(name) is None]
        if missing:
            left.append(page)
            continue
        address = reverse(page, kwargs={name: ids[name] for name in wanted})
        if client.get(address).status_code == NO_PAGE:
            continue
        for asked in ("", *ASKED.get(page, ())):
            seen += [_visited(client, page, address + asked.format(**ids), visits)]
        if page in COLD:
            words, forget = COLD[page]
            again = _visited(client, page, address, visits, before=forget)
            seen += [replace(again, address=f"{address}?({words})")]
    return seen, left


def _visited(
    client: Client,
    page: str,
    address: str,
    visits: int,
    *,
    before: Callable[[], None] = lambda: None,
) -> Visited:
    before()
    with CaptureQueriesContext(connection) as asked:  # this one also warms up
        answer = client.get(address)
        body = _body(answer)
    queries = list(asked)  # the next request begins a new list
    times = []
    for _ in range(visits):
        before()
        started = time.perf_counter()
        _body(client.get(address))
        times.append(1000 * (time.perf_counter() - started))
    return Visited(
        page=page,
        address=address,
        status=answer.status_code,
        queries=len(queries),
        kilobytes=len(body) / 1024,
        milliseconds=times,
        in_database=1000 * sum(float(one["time"]) for one in queries),
    )


def _body(answer: Any) -> bytes:  # noqa: ANN401  (any response)
    if isinstance(answer, HttpResponse):
        return answer.content
    return b"".join(answer.streaming_content)


def _ids() -> dict[str, Any]:
    """Return what addresses are made with: of a case with a run, evidence and letters."""
    found = Evidence.objects.order_by("-created_at").select_related("run").first()
    assert found is not None  # noqa: S101  (there is a crowd)
    case = found.request or found.run.requests.first()
    assert case is not None  # noqa: S101  (it is about a case)
    letter = Letter.objects.filter(request=case).exclude(content=b"").first()
    version = ModelVersion.objects.latest("generated_at")
    size = LogCheckpoint.objects.latest("size").size
    return {
        "case_id": case.pk,
        "reference": case.reference,
        "evidence_id": found.pk,
        "run_id": found.run_id,
        "letter_id": _key(letter),
        "decision_id": _key(Decision.objects.filter(request=case).first()),
        "version_id": version.pk,
        "dataset": _key(Dataset.objects.first()),
        "target_id": _key(Dataset.objects.first()),
        "kind": "dataset",
        "person": DataSubject.objects.filter(erased_at=None).earliest("pk").pseudonym,
        "deployment_id": _key(Deployment.objects.first()),
        "entry_id": _key(Recipient.objects.first()),
        "hold_id": _key(LegalHold.objects.first()),
        "index": size // 2,
        "size": size,
        "name": next(iter(REGISTERS)),
        "form": "csv",
        "locale": "de",
        "language": "en",
        "edition": "person",
        "code": "ANSWER_ERASED",
        "queue": "heavy",
        "section": "evidence",
        "number": None,
    }


def _key(row: Any) -> Any:  # noqa: ANN401  (any row)
    return row.pk if row else None
