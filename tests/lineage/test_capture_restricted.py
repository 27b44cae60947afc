"""A script learns what may not be used any more, and is served what may."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone
from pyroaring import BitMap

from expunge import capture
from expunge.capture import RecordsRestricted
from expunge.connection import (
    ReportRefused,
)
from expunge.remote_view import remote_view
from lineage.models import ModelVersion, Run
from lineage.services.restriction import lift, restrict
from tests.lineage.remote import (
    WEIGHTS,
    answering_server,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]
CASE = uuid.UUID(int=7)


def stopped(script, taken):
    with capture.training(sink=script.sink()) as captured:
        captured.check()  # what was restricted before is not in the view, so nothing is said
        restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3, 4]), now=timezone.now())
        captured.check()


def test_a_record_restricted_meanwhile_stops_the_script_or_withdraws_its_version(script, taken):
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([0]), now=timezone.now())
    with pytest.raises(RecordsRestricted, match=r"^2 records"):
        stopped(script, taken)
    assert Run.objects.get().sampler["failure"] == "RecordsRestricted"
    lift(case_id=CASE, now=timezone.now())
    sink = script.sink()
    with capture.training(sink=sink) as captured:
        captured.used([3])
        restrict(case_id=CASE, space=taken.space, ordinals=BitMap([3]), now=timezone.now())
        captured.finish(weights=WEIGHTS)
    version = ModelVersion.objects.get()
    assert (version.state, version.metrics["born_affected"]) == ("WITHDRAWN", True)


def test_a_thread_beats_and_learns_what_was_restricted(script):
    with answering_server(200, {"restricted": 2}) as (url, asked):
        sink = script.sink(url=url, heartbeat_seconds=0.01)
        with capture.training(sink=sink) as captured:
            while not sink._restricted:  # by the thread: nobody calls check
                sink._over.wait(0.001)
            captured.used([1])
            captured.finish(weights=WEIGHTS)
    kinds = [path.rpartition("/")[2] for path in asked]
    assert (kinds[0], kinds[1], kinds[-1]) == ("begin", "heartbeat", "finish")
    assert sink._thread is not None
    assert not sink._thread.is_alive()


def test_the_view_is_served_without_the_person_and_translates_keys(script, taken):
    restrict(case_id=CASE, space=taken.space, ordinals=BitMap([0, 1, 2]), now=timezone.now())
    view = remote_view(script.url, script.secret, snapshot=script.snapshot)
    assert set(view.ordinals) == set(range(3, 9))
    records = list(view)
    assert [record.ordinal for record in records] == list(range(3, 9))
    assert records[0].content == b"content 3"
    assert (records[0].target, records[0].media_type) == ("1", "text/plain")
    names = [
        ("person1@example.org", "photo-4"),
        ("person0@example.org", "photo-0"),  # restricted
        ("person2@example.org", "photo-4"),  # somebody else's
        ("nobody@example.org", "photo-1"),
        ("PERSON2@example.org", "photo-8"),
        ("", "photo-8"),
    ]
    assert view.translate(names, kind="EMAIL") == [4, None, None, None, 8, None]
    with pytest.raises(ReportRefused, match="data set nothing"):
        remote_view(script.url, script.secret, dataset="nothing")
