"""The sweep goes on whatever becomes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import schedule
from django.conf import settings

from config.celery import app
from config.steady import SteadySchedule

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def asked(kind, last):
    return kind(10, nowfun=lambda: NOW, app=app).is_due(last)


def test_a_sweep_is_due_at_once_after_the_clock_was_set_back():
    assert asked(SteadySchedule, NOW + HOUR) == (True, 10)
    assert asked(schedule, NOW + HOUR) == (False, 3610)  # what it would be without


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(seconds=4), HOUR])
def test_at_any_other_time_it_is_as_celery_has_it(ago):
    assert asked(SteadySchedule, NOW - ago) == asked(schedule, NOW - ago)


def test_the_sweep_is_on_it():
    assert isinstance(settings.CELERY_BEAT_SCHEDULE["sweep"]["schedule"], SteadySchedule)
