"""Staff look at the records of an operator's case, and the log says so."""

from __future__ import annotations

import io
import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image
from pyroaring import BitMap

from audits.queries.case_page import log_of
from audits.services import operator_cases, previews
from audits.services.operator_cases import NewCase
from audits.services.previews import NothingToLookAt
from audits.services.requests import actor_of
from audits.views.previews import SECONDS
from lineage.models import Dataset, ErasureViewOpening, RecordContent
from lineage.services import purge, restriction
from lineage.services.importing import Row, import_records
from tests.audits.views import worlds

OTHER_CASE = uuid.UUID(int=9)


def picture():
    out = io.BytesIO()
    Image.new("L", (8, 8), 9).save(out, "PNG")
    return out.getvalue()


def row(line, content, media_type):
    return Row(
        line=line,
        key=str(line),
        subject="annotator@example.org",
        content=content,
        target="1",
        media_type=media_type,
    )


@pytest.fixture
def space():
    """Two pictures, a row with a tag in it, what is no picture, and a row without content."""
    rows = [
        row(2, picture(), "image/png"),
        row(3, picture() + b" ", "image/png"),
        row(4, b'{"job": "<script>alert(1)</script>"}', "application/json"),
        row(5, b"no picture", "image/png"),
        row(6, b"to be lost", "text/plain"),
    ]
    import_records(dataset_name="seen", rows=rows, now=timezone.now())
    found = Dataset.objects.get(name="seen").space
    RecordContent.objects.filter(space=found, ordinal=4).delete()
    return found


@pytest.fixture
def case(space, decider):
    new = NewCase(
        reason="POISONED", disposal="KEEP", space=space, version=None, seeds=BitMap(range(5))
    )
    user = User.objects.get(username="decider")
    return operator_cases.open_case(new=new, user=user, now=timezone.now())


def seen(client, case):
    return client.get(f"/cases/{case.pk}/forget-set/?show=contents")


def pictures(response):
    return re.findall(r'src="(/data/pictures/[^"]+\.png)"', response.content.decode())


def test_contents_are_shown_when_asked_for_and_the_opening_is_logged(decider, case):
    page = decider.get(f"/cases/{case.pk}/forget-set/").content.decode()
    assert "Show what these records hold" in page
    assert not ErasureViewOpening.objects.exists()
    response = seen(decider, case)
    text = response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert len(pictures(response)) == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert "It cannot be read as a picture." in text
    assert "Its content is not stored here." in text
    assert "data:" not in text
    (opening,) = ErasureViewOpening.objects.all()
    assert (opening.run_id, opening.purpose, opening.record_count) == (case.pk, "REVIEW", 4)
    line = log_of(case.request)[-1]
    assert (line.type, line.actor) == (
        "erasure_view_opened",
        actor_of(User.objects.get(username="decider")),
    )
    assert dict(line.data) == {"run": str(case.pk), "purpose": "REVIEW", "records": 4}


def test_a_picture_is_served_from_here_and_kept_nowhere(decider, case):
    response = decider.get(pictures(seen(decider, case))[0])
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert Image.open(io.BytesIO(response.content)).size == (64, 64)
    assert ErasureViewOpening.objects.count() == 1  # of a page, not of each picture on it


def test_only_whoever_opened_a_picture_gets_it_and_not_for_long(
    decider, reader, client, admin_client, case, monkeypatch
):
    address = pictures(seen(decider, case))[0]
    assert client.get(address).status_code == 302
    assert reader.get(address).status_code == 403
    assert admin_client.get(address).status_code == 404
    place = len(address) // 2
    other = "A" if address[place] != "A" else "B"
    assert decider.get(address[:place] + other + address[place + 1 :]).status_code == 404
    monkeypatch.setattr("audits.views.previews.SECONDS", -1)  # a token counts whole seconds
    assert SECONDS == 600
    assert decider.get(address).status_code == 404


def test_a_reader_sees_numbers_and_labels_alone(reader, case):
    text = seen(reader, case).content.decode()
    assert "Show what these records hold" not in text
    assert not pictures(seen(reader, case))
    assert not ErasureViewOpening.objects.exists()


def test_what_was_erased_or_is_set_aside_for_another_stays_closed(decider, case, space):
    first, second = pictures(seen(decider, case))
    purge.erase_records(case_id=OTHER_CASE, space=space, ordinals=BitMap([0]), now=timezone.now())
    restriction.restrict(case_id=OTHER_CASE, space=space, ordinals=BitMap([1]), now=timezone.now())
    response = seen(decider, case)
    assert "No longer held: it was erased." in response.content.decode()
    assert "Set aside for another case, and not shown." in response.content.decode()
    assert pictures(response) == []
    assert [decider.get(one).status_code for one in (first, second)] == [404, 404]


def test_its_own_restriction_does_not_close_a_record(decider, case, space):
    restriction.restrict(case_id=case.pk, space=space, ordinals=BitMap([0, 1]), now=timezone.now())
    assert len(pictures(seen(decider, case))) == 2


def test_the_records_of_a_person_s_or_a_dropped_case_are_not_opened(decider, case, space):
    user = User.objects.get(username="decider")
    person, _ = worlds.restricted()
    operator_cases.drop(case_id=case.pk, user=user, now=timezone.now())
    for request, sentence in ((person, "is a person's"), (case.request, "was dropped")):
        with pytest.raises(NothingToLookAt, match=sentence):
            previews.look_at(
                case_id=request.pk,
                space=space,
                ordinals=BitMap([0]),
                user=user,
                now=timezone.now(),
            )
    assert "Show what" not in seen(decider, case).content.decode()
    decider.get(f"/cases/{person.pk}/?show=contents")
    assert not ErasureViewOpening.objects.exists()
