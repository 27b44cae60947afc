"""A job that works for a case."""

from __future__ import annotations

from tests.audits.views.test_views_cases import job


def running(case, **change: object):
    made = job(case.runs.first(), status="RUNNING", holder=case.pk, **change)
    made.refresh_from_db()
    return made
