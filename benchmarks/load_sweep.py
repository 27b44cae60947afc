"""Very many open cases: what a pass of the sweep takes, and the lists."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

from benchmarks.installation import prepared

VERSIONS = 20
LISTS = ("", "?show=overdue", "?page=100", "?q=7")


def filled_here(cases: int) -> dict[str, Any]:
    """Fill the database of this process with open cases, unless it holds them."""
    prepared()
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)

    from audits.models import LogLeaf  # noqa: PLC0415
    from benchmarks.crowd import Sizes, filled  # noqa: PLC0415
    from benchmarks.crowd_cases import open_mix  # noqa: PLC0415

    started = time.perf_counter()
    sizes = Sizes(cases=cases, versions=VERSIONS, records=10 * cases)
    filled(sizes, now=timezone.now(), mix=open_mix())
    took = round(time.perf_counter() - started, 1)
    return {"fill_seconds": took, "leaves": LogLeaf.objects.count()}


def swept_here(passes: int) -> dict[str, Any]:
    """Sweep as the worker does, so many times."""
    prepared()
    import_module("config.celery")  # the broker of a worker: here a folder
    from django.conf import settings  # noqa: PLC0415  (Django is set up now)
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from audits.models import SweepMark  # noqa: PLC0415
    from audits.queries.cases import cases_at_work, open_cases  # noqa: PLC0415
    from audits.workflow.tasks import sweep  # noqa: PLC0415

    (settings.BROKER_FOLDER / "control").mkdir(parents=True, exist_ok=True)
    seen = []
    for _ in range(passes):
        with CaptureQueriesContext(connection) as asked:
            started = time.perf_counter()
            sweep()
            took = time.perf_counter() - started
        mark = SweepMark.objects.get(pk=1)
        seen.append(
            {
                "seconds": round(took, 2),
                "queries": len(asked.captured_queries),
                "failed": mark.failed,
                "looked_at": len(cases_at_work()) - mark.left,
            }
        )
    at_work = len(cases_at_work())
    each = min(one["looked_at"] for one in seen)
    hours = at_work / each * settings.EXPUNGE_SWEEP_SECONDS / 3600 if each else None
    return {
        "open": open_cases().count(),
        "at_work": at_work,
        "passes": seen,
        "hours_until_each_had_its_turn": hours and round(hours, 2),
    }


def listed_here(visits: int) -> dict[str, Any]:
    """Visit what lists the cases so often, in a process that begins as a web process does."""
    prepared()
    import_module("config.wsgi")
    from django.test import Client  # noqa: PLC0415  (Django is set up now)
    from django.urls import reverse  # noqa: PLC0415

    from benchmarks.crowd import head_of  # noqa: PLC0415
    from benchmarks.pages_visits import visited  # noqa: PLC0415

    client = Client(headers={"host": "localhost"})
    client.force_login(head_of())
    pages = [("audits:staff_home", reverse("audits:staff_home"))]
    pages += [("audits:request_list", reverse("audits:request_list") + one) for one in LISTS]
    lists = [visited(client, page, address, visits) for page, address in pages]
    return {
        "lists": [one.as_dict() for one in lists],
        "missed": [words for one in lists for words in one.missed],
    }
