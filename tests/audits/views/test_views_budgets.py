"""What pages of staff may cost: at most so many queries, and as many for three times the rows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audits.models import LegalHold, Publication, Recipient
from audits.queries.register_tables import REGISTERS
from audits.services import log
from benchmarks.crowd import add_cases
from benchmarks.crowd_lineage import Registry, fill_lineage
from benchmarks.staff_pages import staff_pages
from lineage.models import Backup, Dataset, LabelConflict, Location
from tests.audits.world import officer, reviewer

MOST_QUERIES = 25
CASES, VERSIONS, RECORDS = 40, 40, 2_000
ROWS = 8  # of each register, at first
SHOWN = ("?show=closed", "?show=overdue", "?q=E")  # of the list of cases


@pytest.fixture
def registry():
    return fill_lineage(records=RECORDS, versions=VERSIONS, now=timezone.now())


def lists():
    """The addresses of pages that are about nothing in particular, and of each register."""
    yield from (reverse(page) for page, wanted in staff_pages() if not wanted)
    yield from (reverse("audits:request_list") + shown for shown in SHOWN)
    yield from (reverse("audits:register", args=[name]) for name in REGISTERS)


def grow(registry, *, part, cases, rows):
    """Add cases, with the versions of one half of the pairs, and rows to each register."""
    now = timezone.now()
    own = Registry(
        datasets=registry.datasets,
        people=registry.people,
        pairs=[pairs[part::2] for pairs in registry.pairs],
    )
    add_cases(own, cases, now=now, by=(officer(), reviewer()))
    log.checkpoint(now=now)
    for number in range(rows):
        add_entries(registry, f"{part}-{number}", now)


def add_entries(registry, name, now):
    dataset, version = Dataset.objects.earliest("pk"), registry.versions[-1]
    for entry in (
        Recipient.objects.create(name=name, contact="lab@example.org"),
        Publication.objects.create(where="HUB", address=name, steps="We write."),
    ):
        entry.datasets.add(dataset)
        entry.versions.add(version)
    Location.objects.create(slug=name, kind="sql_table", purpose="support", created_at=now)
    Backup.objects.create(
        name=name, covers="database", made_at=now, expires_at=now + timedelta(days=9)
    )
    LegalHold.objects.create(
        dataset=dataset,
        kind="DATASET",
        basis="A claim.",
        placed_at=now,
        review_on=date(2020, 1, 1),
    )
    first = LabelConflict.objects.count() * 2
    LabelConflict.objects.create(
        space=dataset.space,
        ordinal=first,
        other_ordinal=first + 1,
        distance=0.0,
        state="HELD",
        found_at=now,
    )


def cost(client):
    """How many queries each list takes once it is warm."""
    found = {}
    for address in lists():
        if client.get(address).status_code != 200:
            continue
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        found[address] = len(asked)
    return found


def test_lists_take_as_many_queries_for_three_times_the_rows(admin_client, registry):
    grow(registry, part=0, cases=CASES, rows=ROWS)
    few = cost(admin_client)
    grow(registry, part=1, cases=2 * CASES, rows=2 * ROWS)
    many = cost(admin_client)
    assert len(few) > 25
    assert {page: (few[page], many[page]) for page in few if few[page] != many[page]} == {}
    assert {page: count for page, count in many.items() if count > MOST_QUERIES} == {}
