"""How messages are sent: signed, again until they are taken, or given up."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits import workflow
from audits.core.webhook_events import LONGEST, next_wait
from audits.models import Webhook, WebhookDelivery
from audits.services import webhook_delivery, webhook_outbox
from expunge.webhooks import NotGenuine, Repeated, SeenIds
from lineage import keys
from tests.audits.receiving import dripping
from tests.audits.webhooks.messages import (
    HOUR,
    NOW,
    SECOND,
    State,
    checked,
    deliver,
    happens,
    stands,
)

pytestmark = pytest.mark.django_db


def next_try() -> datetime:
    found = WebhookDelivery.objects.get().next_at
    assert found
    return found


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_what_is_not_taken_is_sent_again_later_with_the_same_id_and_bytes(told, receiver, status):
    receiver.answers = [(status, {"Location": receiver.url})]
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told) is False
    one = WebhookDelivery.objects.get()
    assert (one.state, one.attempts, one.status) == (State.WAITING, 1, status)
    assert one.next_at == NOW + timedelta(seconds=30)
    assert deliver(told, NOW + 29 * SECOND) is None
    assert deliver(told, NOW + 30 * SECOND) is True
    (first, second), ids = receiver.bodies, {sent["webhook-id"] for sent, _ in receiver.heard}
    assert first == second
    assert ids == {str(one.pk)}
    one.refresh_from_db()
    assert (one.state, one.attempts, one.sent_at) == (State.SENT, 2, NOW + 30 * SECOND)


def test_nobody_there_a_silent_server_and_a_lost_secret_are_failures_with_a_word(
    told, receiver, settings
):
    happens()
    webhook_outbox.collect(now=NOW)
    Webhook.objects.update(url="http://127.0.0.1:9/")
    assert deliver(told) is False
    assert WebhookDelivery.objects.get().error == "ConnectError"
    settings.EXPUNGE_WEBHOOK_TIMEOUT, receiver.hold = 0.05, threading.Event()
    Webhook.objects.update(url=receiver.url)
    assert deliver(told, NOW + HOUR) is False
    assert WebhookDelivery.objects.get().error == "It had not answered after 0.05 seconds."
    receiver.hold.set()
    keys.destroy(told.webhook.secret_name(1))
    assert deliver(told, NOW + 2 * HOUR) is False
    assert "not in the key store" in WebhookDelivery.objects.get().error


class Stopped(Exception):
    """As the task is told that its time is over."""


@pytest.mark.parametrize("error", [Stopped, UnicodeError, OverflowError, httpx.InvalidURL])
def test_whatever_ends_a_try_it_is_marked_and_hours_end_the_message(told, monkeypatch, error):
    def ends(*_: object, **__: object):
        raise error("of https://secret.example/")

    monkeypatch.setattr(webhook_delivery, "posted", ends)
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told) is False
    one = WebhookDelivery.objects.get()
    assert (one.state, one.error, one.leased_until) == (State.WAITING, error.__name__, None)
    assert deliver(told, NOW + 24 * HOUR) is False
    assert stands(told) == [(State.FAILED, 2)]


def test_a_message_whose_tries_die_unmarked_is_given_up_after_its_hours(told, monkeypatch):
    happens()
    webhook_outbox.collect(now=NOW)
    monkeypatch.setattr(webhook_delivery, "_mark", lambda *_: 1 / 0)
    for hours in (0, 23):
        with pytest.raises(ZeroDivisionError):
            deliver(told, NOW + hours * HOUR)
    assert deliver(told, NOW + 24 * HOUR) is None
    assert stands(told) == [(State.FAILED, 2)]


def test_a_message_that_nobody_could_try_for_its_hours_is_tried_all_the_same(told):
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told, NOW + 48 * HOUR) is True


def test_a_test_whose_try_dies_is_not_tried_again(told, monkeypatch):
    webhook_outbox.test(webhook_id=told.webhook.pk, user=None, now=NOW)
    monkeypatch.setattr(webhook_delivery, "_mark", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deliver(told)
    assert deliver(told, NOW + HOUR) is None
    assert stands(told) == [(State.FAILED, 1)]


def test_a_receiver_that_drips_is_cut_off_when_its_time_is_over(told, settings):
    settings.EXPUNGE_WEBHOOK_TIMEOUT = 0.3
    happens()
    webhook_outbox.collect(now=NOW)
    with dripping(every=0.05) as url:
        Webhook.objects.update(url=url)
        began = time.monotonic()
        assert deliver(told) is False
        assert time.monotonic() - began < 3
    assert WebhookDelivery.objects.get().error == "It had not answered after 0.3 seconds."


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254"])
def test_no_message_goes_to_an_address_of_the_own_network(host, told, receiver, settings):
    settings.EXPUNGE_WEBHOOK_PRIVATE_HOSTS = []
    settings.EXPUNGE_PRIVATE_HOSTS = [host]  # of places of erasure alone
    Webhook.objects.update(url=receiver.url.replace("127.0.0.1", host))
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told) is False
    error = WebhookDelivery.objects.get().error
    assert "not public" in error
    assert "EXPUNGE_WEBHOOK_PRIVATE_HOSTS" in error
    assert receiver.heard == []


def test_a_message_is_given_up_after_so_many_hours_and_can_be_sent_again(told, receiver, settings):
    settings.EXPUNGE_WEBHOOK_HOURS = 2
    receiver.answers = [(500, {})] * 40
    happens()
    webhook_outbox.collect(now=NOW)
    now = NOW
    while stands(told)[0][0] == State.WAITING:
        now = next_try()
        assert deliver(told, now) is False
    assert now - NOW >= 2 * HOUR
    assert 6 <= len(receiver.heard) <= 12
    receiver.answers = []
    one = WebhookDelivery.objects.get()
    workflow.send_message_again(delivery_id=one.pk, user=None)
    one.refresh_from_db()
    assert (one.state, one.attempts) == (State.WAITING, 0)
    assert deliver(told, one.next_at) is True
    assert len(set(receiver.bodies)) == 1


def test_the_receiver_says_when_to_come_again_within_reason(told, receiver):
    happens()
    webhook_outbox.collect(now=NOW)
    now, waits = NOW, []
    for after in ("600", "999999", "-5", "soon", "9" * 500):
        receiver.answers = [(503, {"Retry-After": after})]
        assert deliver(told, now) is False
        then = next_try()
        waits.append(then - now)
        now = then
    assert waits[0] == timedelta(minutes=10)
    assert max(waits) <= LONGEST


def test_a_failed_message_does_not_hold_back_those_behind_it(told, receiver):
    happens()
    happens()
    webhook_outbox.collect(now=NOW)
    receiver.answers = [(500, {})]
    assert [deliver(told), deliver(told), deliver(told)] == [False, True, None]


def test_a_worker_that_dies_after_sending_has_it_sent_again_and_the_receiver_knows_it(
    told, receiver, monkeypatch
):
    happens()
    webhook_outbox.collect(now=NOW)
    seen = SeenIds()
    with monkeypatch.context() as patched:
        patched.setattr(webhook_delivery, "_mark", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver(told)
    checked(receiver, told, seen=seen)
    assert deliver(told) is None  # leased
    later = NOW + webhook_delivery.LEASE
    assert deliver(told, later) is True
    assert stands(told) == [(State.SENT, 2)]
    with pytest.raises(Repeated):
        checked(receiver, told, later, seen=seen)
    assert len(receiver.heard) == 2


def test_a_message_that_is_being_sent_is_not_sent_by_another_worker(told, receiver, monkeypatch):
    happens()
    webhook_outbox.collect(now=NOW)
    seen, sent = [], webhook_delivery._sent

    def sending(delivery, now):
        seen.append(deliver(told))
        return sent(delivery, now)

    monkeypatch.setattr(webhook_delivery, "_sent", sending)
    assert deliver(told) is True
    assert seen == [None]
    assert len(receiver.heard) == 1


def test_the_mark_of_a_worker_whose_lease_lapsed_changes_nothing(told, receiver):
    happens()
    webhook_outbox.collect(now=NOW)
    slow = webhook_delivery._claimed(told.webhook.pk, NOW)
    assert slow
    assert deliver(told, NOW + webhook_delivery.LEASE) is True
    late = webhook_delivery.Answer(error="ReadTimeout")
    webhook_delivery._mark(slow, late, NOW + 48 * HOUR, 0.5)
    assert stands(told) == [(State.SENT, 2)]
    assert Webhook.objects.get().failures == 0


def test_a_message_from_long_ago_is_refused_by_the_receiver(told, receiver):
    happens()
    webhook_outbox.collect(now=NOW)
    deliver(told)
    with pytest.raises(NotGenuine, match="more than 300 seconds"):
        checked(receiver, told, NOW + HOUR)


@given(st.integers(1, 200), st.floats(0, 1))
def test_waits_grow_and_have_an_end_however_often_it_failed(attempts, spread):
    wait = next_wait(attempts, spread)
    assert timedelta(seconds=15) <= wait <= LONGEST
    assert wait <= next_wait(attempts + 1, 1.0)


def test_a_receiver_that_cannot_be_reached_is_not_asked_through_a_proxy(
    told, receiver, monkeypatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told) is True
    assert httpx.Client().trust_env  # which is why it is said
