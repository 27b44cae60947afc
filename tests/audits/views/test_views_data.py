"""The page about records that are alike under two labels."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from audits.core import events
from audits.models import LogLeaf
from audits.services.requests import actor_of
from lineage.models import ErasureViewOpening, LabelConflict, RecordContent
from lineage.services.importing import Row, import_records

pytestmark = pytest.mark.django_db


def imported():
    rows = [
        Row(
            line=line,
            key=str(line),
            subject=f"p{line}@example.org",
            content=b'{"job": "<b>baker</b>"}',
            target=target,
            media_type="application/json",
        )
        for line, target in enumerate(["cat", "dog"])
    ]
    import_records(dataset_name="faces", rows=rows, now=timezone.now())
    return LabelConflict.objects.get()


@pytest.fixture
def conflict(settings):
    settings.EXPUNGE_LABEL_CONFLICTS = "HOLD"
    return imported()


def text_of(response):
    return response.content.decode()


def logged():
    found = [events.parse(bytes(leaf.data)) for leaf in LogLeaf.objects.order_by("index")]
    return [(one.type, one.actor, dict(one.data)) for one in found]


def test_an_empty_page_says_where_records_come_from(reader):
    text = text_of(reader.get("/data/"))
    assert "No record is waiting for you." in text
    assert 'href="/data/" aria-current="page">Data</a>' in text
    assert 'href="/data/">Data</a>' in text_of(reader.get("/cases/"))


def test_what_is_held_is_listed_and_opened_when_asked_for(decider, conflict):
    text = text_of(decider.get("/data/"))
    assert "1 record is held back" in text
    assert "labelled dog" in text
    assert "labelled cat" in text
    assert "baker" not in text
    assert not ErasureViewOpening.objects.exists()
    response = decider.get("/data/?show=contents")
    assert "&lt;b&gt;baker&lt;/b&gt;" in text_of(response)
    assert "no-store" in response.headers["Cache-Control"]
    (line,) = logged()
    assert line[0] == "erasure_view_opened"
    assert line[1] == actor_of(User.objects.get(username="decider"))
    assert (line[2]["purpose"], line[2]["records"]) == ("REVIEW", 2)


def test_a_held_record_is_released_after_a_question(decider, conflict):
    assert "Release record 1 of faces?" in text_of(decider.get(f"/data/{conflict.pk}/release/"))
    assert LabelConflict.objects.get().state == "HELD"
    text = text_of(decider.post(f"/data/{conflict.pk}/release/", follow=True))
    assert "Record 1 of faces was released" in text
    assert "No record is waiting for you." in text
    assert [line[0] for line in logged()] == ["label_conflict_released"]
    assert "allowed is one that is" in text_of(
        decider.post(f"/data/{conflict.pk}/release/", follow=True)
    )


def test_a_held_record_is_dropped_after_a_question(decider, conflict):
    assert "This cannot be undone." in text_of(decider.get(f"/data/{conflict.pk}/drop/"))
    assert RecordContent.objects.count() == 2
    text = text_of(decider.post(f"/data/{conflict.pk}/drop/", follow=True))
    assert "Record 1 of faces was dropped." in text
    assert RecordContent.objects.count() == 1
    (line,) = logged()
    assert line[0] == "label_conflict_dropped"
    assert set(line[2]) == {"conflict", "space"}
    again = decider.post(f"/data/{conflict.pk}/drop/", follow=True)
    assert "dropped by somebody else" in text_of(again)


def test_what_came_in_is_marked_as_right(decider):
    conflict = imported()
    text = text_of(decider.get("/data/"))
    assert "held back</strong>" not in text
    assert f"/data/{conflict.pk}/drop/" not in text
    assert "It is right" in text_of(decider.get(f"/data/{conflict.pk}/release/"))
    decider.post(f"/data/{conflict.pk}/release/")
    assert LabelConflict.objects.get().state == "RELEASED"


def test_readers_look_at_numbers_and_decide_nothing(reader, outsider, client, conflict):
    assert "Release" not in text_of(reader.get("/data/?show=contents")).split("<table>")[1]
    assert not ErasureViewOpening.objects.exists()
    for ending in ("release/", "drop/"):
        for method in ("get", "post"):
            assert getattr(reader, method)(f"/data/{conflict.pk}/{ending}").status_code == 403
            assert getattr(outsider, method)(f"/data/{conflict.pk}/{ending}").status_code == 403
    assert client.get("/data/").status_code == 302
    assert outsider.get("/data/").status_code == 403
    assert LabelConflict.objects.get().state == "HELD"
