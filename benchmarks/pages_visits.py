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

from audits.models import (
    Decision,
    ErasureRequest,
    Evidence,
    LegalHold,
    Letter,
    LogCheckpoint,
    Recipient,
)
from audits.queries.register_tables import REGISTERS
from benchmarks.staff_pages import staff_pages
from lineage.models import Dataset, DataSubject, Deployment, ModelVersion
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.contrib.auth.models import User

MOST_QUERIES, MOST_MS, MOST_KB = 25, 300.0, 300.0
NO_PAGE = 405  # only posted to
BROKEN = (400, 401, 403, 500, 503)
SHOWS, LEADS_ON = 200, 302
# Pages that keep something between visits are also measured with a change before each visit.
KEEPING = ("audits:all_evidence",)
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

    ``milliseconds`` until the first byte, which of a page is all of it; of a ``download`` the rest
    follows as it is read, and has no limit of size. ``to_the_end`` are those until the last byte.
    ``in_database`` is the time for which the database was waited for, by one visit.
    """

    page: str
    address: str
    status: int
    queries: int
    kilobytes: float
    download: bool
    milliseconds: list[float] = field(default_factory=list)
    to_the_end: list[float] = field(default_factory=list)
    in_database: float = 0.0

    @property
    def p95(self) -> float:
        """The time that nineteen of twenty visits did not take longer than."""
        return _p95(self.milliseconds)

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
        if self.kilobytes > MOST_KB and self.page not in LARGE and not self.download:
            found.append(f"{self.address}: {self.kilobytes:.0f} KB")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        times = sorted(self.milliseconds)
        found = {
            "page": self.page,
            "asked": self.address.partition("?")[2],
            "status": self.status,
            "queries": self.queries,
            "kb": round(self.kilobytes, 1),
            "p50_ms": round(times[len(times) // 2], 1),
            "p95_ms": round(self.p95, 1),
            "database_ms": round(self.in_database, 1),
        }
        if self.download:
            found |= {
                "judged_by": "first byte",
                "last_byte_p95_ms": round(_p95(self.to_the_end), 1),
            }
        return found


@dataclass(kw_only=True)
class Tour:
    """What visits to all pages found.

    Attributes:
        visited: of each page, and of some as staff leave them.
        left: pages of which the database holds nothing.
        leads_on: pages that lead to another one, as they should, whatever they are about.
        not_shown: pages that answer otherwise for all that was tried, with their status; what
            they would show is not in the database. They are visited nevertheless.
    """

    visited: list[Visited] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    leads_on: list[str] = field(default_factory=list)
    not_shown: dict[str, int] = field(default_factory=dict)


def visit_all(staff: User, *, visits: int) -> Tour:
    """Visit every page of staff that the database holds something for."""
    client = Client(headers={"host": "localhost"})
    client.force_login(staff)
    ids, others, tour = _ids(), _other_cases(), Tour()
    for page, wanted in staff_pages():
        if any(ids.get(name) is None for name in wanted):
            tour.left.append(page)
            continue
        status, chosen = _shown(client, page, wanted, [ids, *({**ids, **one} for one in others)])
        if status == NO_PAGE:
            continue
        if status == LEADS_ON:
            tour.leads_on.append(page)
            continue
        if status != SHOWS:
            tour.not_shown[page] = status
        address = reverse(page, kwargs={name: chosen[name] for name in wanted})
        for asked in ("", *ASKED.get(page, ())):
            tour.visited.append(visited(client, page, address + asked.format(**ids), visits))
        if page in KEEPING:
            again = visited(client, page, address, visits, before=_change)
            tour.visited.append(replace(again, address=f"{address}?(after a change)"))
    return tour


def _shown(
    client: Client, page: str, wanted: list[str], tried: Sequence[dict[str, Any]]
) -> tuple[int, dict[str, Any]]:
    """Return the status of a page, and what it is about: the first thing that it shows."""
    status = {}
    for place, ids in enumerate(tried if "case_id" in wanted else tried[:1]):
        answer = client.get(reverse(page, kwargs={name: ids[name] for name in wanted}))
        status[place] = _status(answer)
        if status[place] in (SHOWS, NO_PAGE):
            return status[place], ids
    return status[0], tried[0]


def _change() -> None:
    """Let a run that waits begin, or one that began wait again."""
    states = UnlearningRun.Status.QUEUED, UnlearningRun.Status.RUNNING
    run = UnlearningRun.objects.filter(status__in=states).earliest("pk")
    now = states[run.status == states[0]]
    UnlearningRun.objects.filter(pk=run.pk).update(status=now)


def _status(answer: Any) -> int:  # noqa: ANN401  (any response)
    """Return the status of an answer; nobody who is signed in is asked to sign in."""
    status: int = answer.status_code
    to_sign_in = status == LEADS_ON and answer["Location"].startswith(reverse("login"))
    return 401 if to_sign_in else status


def visited(
    client: Client,
    page: str,
    address: str,
    visits: int,
    *,
    before: Callable[[], None] = lambda: None,
) -> Visited:
    """Return what so many visits to an address found, after one that is not timed."""
    before()
    with CaptureQueriesContext(connection) as asked:  # this one also warms up
        answer = client.get(address)
        size = sum(map(len, _parts(answer)))
    queries = list(asked)  # the next request begins a new list
    first, last = [], []
    for _ in range(visits):
        before()
        started = time.perf_counter()
        parts = _parts(client.get(address))
        next(parts, b"")
        first.append(1000 * (time.perf_counter() - started))
        for _part in parts:
            pass
        last.append(1000 * (time.perf_counter() - started))
    return Visited(
        page=page,
        address=address,
        status=_status(answer),
        queries=len(queries),
        kilobytes=size / 1024,
        download=answer.get("Content-Disposition", "").startswith("attachment"),
        milliseconds=first,
        to_the_end=last,
        in_database=1000 * sum(float(one["time"]) for one in queries),
    )


def _parts(answer: Any) -> Iterator[bytes]:  # noqa: ANN401  (any response)
    return iter([answer.content] if isinstance(answer, HttpResponse) else answer.streaming_content)


def _p95(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def _other_cases() -> list[dict[str, Any]]:
    """Return cases that pages may be about which do not fit the first one: one in each state."""
    cases = ErasureRequest.objects.order_by("status", "outcome", "kind", "-received_at")
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for status, outcome, kind, pk in cases.values_list("status", "outcome", "kind", "pk"):
        found.setdefault((status, outcome, kind), {"case_id": pk})
    return list(found.values())


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
