"""An event and an import at once: whichever is committed first, the other finds it."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections
from pyroaring import BitMap

from lineage.models import NamedLocation
from lineage.queries.closure import affected
from lineage.services import importing
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.locking import hold_import, nobody_imports
from lineage.services.openlineage_late import match_late
from tests.lineage.events import named, names, send, trained_on

pytestmark = pytest.mark.database
SHARD = "s3://bucket/shard-0"


def imported(name, now, note=None):
    row = Row(line=1, key=name, subject="p@example.org", content=None, location=SHARD)
    import_records(dataset_name=name, rows=[row], now=now, note=note)


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("crashed", [False, True])
def test_an_event_that_comes_before_an_import_commits_is_matched(
    processes, monkeypatch, now, others, crashed
):
    """It names another data set, so that no lock of a space holds it up."""
    if crashed:
        monkeypatch.setattr(importing, "match_late", lambda **_: 0)

    def tell():
        try:
            send(trained_on(named("bucket", namespace="s3", files=[SHARD])), now=now)
        finally:
            connections.close_all()

    def act(_number):
        if others:  # then the event is matched with somebody as soon as it comes
            imported("voices", now)
        event = threading.Thread(target=tell)

        def note(_report):
            event.start()
            if connection.vendor == "postgresql":  # SQLite has one writer at a time
                event.join()

        imported("faces", now, note)
        event.join()
        if crashed:
            match_late(now=now)  # as the sweep does
        assert match_late(now=now) == 0
        assert not NamedLocation.objects.filter(due=True).exists()
        return names(affected(ensure_dataset(name="faces").space, BitMap([0])))

    assert processes(act, 1) == [["m v1"]]


@pytest.mark.django_db
def test_ones_own_import_does_not_keep_one_from_looking(now):
    assert nobody_imports()
    hold_import()
    assert nobody_imports()
