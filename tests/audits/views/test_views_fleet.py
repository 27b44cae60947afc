"""The page of all evidence."""

from __future__ import annotations

import pytest

from tests.audits.views import worlds

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def test_all_evidence_is_for_staff(client, outsider):
    assert client.get("/evidence/").status_code == 302
    assert outsider.get("/evidence/").status_code == 403


def test_an_empty_page_says_where_evidence_comes_from(reader):
    text = text_of(reader.get("/evidence/"))
    assert "nothing to state" in text
    assert "as soon as a case has a plan" in text
    assert '<a href="/evidence/" aria-current="page">Evidence</a>' in text


def test_the_page_says_what_survives_and_what_that_does_not_mean(reader):
    case, run = worlds.judged(worlds.u_lira())
    text = text_of(reader.get("/evidence/"))
    assert "1 question was put to pools of shadow models; 1 ended with a pass" in text
    assert "What this does not mean" in text
    assert "faces v1" in text
    assert f"/cases/{case.pk}/evidence/{run.evidence.get().pk}/" in text
    assert worlds.EMAIL not in text


def test_a_period_that_cannot_be_read_is_told_and_all_days_are_shown(reader):
    worlds.judged(worlds.construction())
    text = text_of(reader.get("/evidence/?since=soon"))
    assert "it must be a day such as 2026-11-01. All days are shown." in text
    assert "Erased by construction" in text


def test_a_period_without_runs_has_nothing_to_state(reader):
    worlds.judged(worlds.u_lira())
    text = text_of(reader.get("/evidence/?until=2020-01-01"))
    assert "nothing to state" in text
    assert 'value="2020-01-01"' in text
