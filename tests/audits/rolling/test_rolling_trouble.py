"""What a process does while its platform is away, refuses it, or has nothing to load."""

from __future__ import annotations

import threading

import pytest
from django.utils import timezone

from audits.models import Reading
from audits.services.serving import note_gone
from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused
from expunge.guard import ServingGuard
from tests.audits.rolling.serving import HALVES, digest, who
from tests.audits.world import BERT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def test_a_version_that_cannot_be_loaded_leaves_the_one_before_in_place(world, base, rolls):
    now, tries = [0.0], []

    def load(weights):
        tries.append(weights)
        if len(tries) == 2:
            raise RuntimeError("no memory")
        return weights

    served = rolls(load=load, every=60, clock=lambda: now[0]).open()
    newer = world.bare("base", world.snapshot(BERT))
    served.poll()
    served.poll()  # not again at once
    assert len(tries) == 2
    assert who(served) == digest(base)
    now[0] = 61
    served.poll()
    assert who(served) == digest(newer)


def test_a_platform_that_is_away_is_asked_once_in_a_while_and_borne(world, base, rolls):
    now = [0.0]
    served = rolls(every=60, patience=600, clock=lambda: now[0]).open()
    held = served._held.guard
    asked = []

    def away(address):
        asked.append(address)
        raise PlatformAway("nobody there")

    held._connection.get = served._connection.get = away
    for now[0] in (60, 61, 119, 120, 121):
        assert who(served) == digest(base)
    assert len(asked) == 2
    served.poll()
    now[0] = 600
    with pytest.raises(PlatformAway):
        who(served)


def test_a_key_that_is_revoked_stops_every_call(world, base, rolls, monkeypatch):
    served = rolls().open()

    def refused(address):
        raise KeyNotAccepted("revoked")

    monkeypatch.setattr(served._held.guard._connection, "get", refused)
    for _ in range(2):
        with pytest.raises(KeyNotAccepted):
            who(served)


def test_a_version_in_use_is_not_gone(world, base, rolls):
    rolls().open()
    assert note_gone(reader="shop", model_name="base", now=timezone.now()) == []
    assert Reading.objects.get().gone_at is None


def test_a_key_that_is_refused_is_asked_about_once_in_a_while(world, base, rolls):
    now, asked = [0.0], []
    served = rolls(every=60, clock=lambda: now[0]).open()
    connection = served._held.guard._connection
    answered = connection.get

    def refused(address):
        asked.append(address)
        raise KeyNotAccepted("revoked")

    connection.get = refused
    for now[0] in (60, 61, 119):
        with pytest.raises(KeyNotAccepted, match="revoked"):
            who(served)
    assert len(asked) == 1
    connection.get = answered
    now[0] = 121
    assert who(served) == digest(base)


def test_a_guard_that_was_refused_from_the_first_asks_once_in_a_while(monkeypatch):
    asked = []
    guard = ServingGuard(url="http://127.0.0.1:9", api_key="k", version="v", clock=lambda: 5.0)

    def refused(address, body):
        asked.append(address)
        raise ReportRefused("no such version")

    monkeypatch.setattr(guard._connection, "post", refused)
    for _ in range(3):
        with pytest.raises(ReportRefused, match="no such version"):
            guard.answer(HALVES)
    assert asked == ["versions/v/open"]


def test_an_answer_is_as_old_as_its_question(world, base, rolls):
    now, asked = [0.0], []
    served = rolls(every=60, clock=lambda: now[0]).open()
    connection = served._held.guard._connection
    answered = connection.get

    def slow(address):
        asked.append(now[0])
        found = answered(address)
        now[0] += 30  # it was withdrawn on the way, and the answer does not say so
        return found

    connection.get = slow
    for now[0] in (60, 119, 120):
        who(served)
    assert asked == [60, 120]


def test_the_thread_goes_on_whatever_goes_wrong(world, base, rolls, monkeypatch):
    served = rolls(background=True, every=0.1)
    looks = threading.Semaphore(0)

    def broken():
        looks.release()
        raise RuntimeError("no counts")

    monkeypatch.setattr(served._counting, "report", broken)
    # One connection to a database in memory is for one thread, and this is about what follows.
    monkeypatch.setattr(served, "poll", lambda: None)
    served.open()
    assert all(looks.acquire(timeout=10) for _ in range(3))
    monkeypatch.undo()
