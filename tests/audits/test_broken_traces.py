"""A recorder of traces that fails costs its spans, and nothing else."""

from __future__ import annotations

from typing import Any, cast

import pytest

from audits.models import ErasureRequest
from audits.workflow import tasks
from lineage.core import spans
from lineage.core.recorded import Place
from tests.audits.bare_cases import refuse_now, verified_case

pytestmark = pytest.mark.django_db


class Full(Exception):
    """The recorder's own error."""


class Broken:
    """A recorder that begins spans, if it ``begins`` any, and can do nothing with them."""

    def __init__(self, *, begins: bool) -> None:
        self.begins = begins
        self.place = Place(trace=1, span=2)

    def start(self, *_: object, **__: object) -> Broken:
        if self.begins:
            return self
        raise Full

    first = start

    def fail(self, *_: object, **__: object) -> None:
        raise Full

    note = event = close = write = read = fail


@pytest.fixture(params=[True, False], ids=["of every word", "of every span"])
def broken(request):
    spans.use(cast("Any", Broken(begins=request.param)))
    yield
    spans.use(None)


@pytest.fixture
def refused(signing_key):
    case = verified_case()
    refuse_now(case.pk, code="ART_17_3_A")
    return case


def ended(case, capture):
    with capture(execute=True):
        tasks.advance_case(str(case.pk))
    return ErasureRequest.objects.get(pk=case.pk).status


def test_a_case_ends_though_no_span_of_it_can_be_recorded(
    refused, broken, rung, django_capture_on_commit_callbacks, caplog
):
    assert ended(refused, django_capture_on_commit_callbacks) == "SEALED"
    assert "span cannot be" in caplog.text


def test_what_cannot_be_written_or_read_is_no_place(refused, broken):
    with spans.of_case(refused.pk, "step"):
        assert spans.carried() == {}
    with spans.received("00-1-2-01", "message") as opened:
        assert opened.place is None


def test_what_follows_the_end_of_a_case_is_done_though_its_span_fails(
    refused, rung, django_capture_on_commit_callbacks, monkeypatch
):
    spans.use(cast("Any", Broken(begins=True)))

    def fail(*_: object, **__: object) -> None:
        raise Full

    monkeypatch.setattr(spans, "over", fail)
    try:
        assert ended(refused, django_capture_on_commit_callbacks) == "SEALED"
    finally:
        spans.use(None)
