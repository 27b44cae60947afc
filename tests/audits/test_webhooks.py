"""Messages to other systems: made from the log, signed, sent until they are taken."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audits import workflow
from audits.core import events, webhook_events
from audits.core.event_types import SCHEMA
from audits.core.fields import COMMITMENT, SALTED, SHA256
from audits.core.webhook_events import KINDS, LONGEST, next_wait
from audits.models import ErasureRequest, LogHead, LogLeaf, Webhook, WebhookDelivery
from audits.services import log, webhook_delivery, webhook_outbox, webhooks
from audits.services.rights import NotAllowed
from audits.workflow import doorbell, tasks, webhook_actions
from expunge.webhooks import NotGenuine, Repeated, SeenIds, verify
from lineage import keys
from tests.audits.bare_cases import verified_case
from tests.audits.receiving import dripping, receiving
from tests.audits.world import member

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
State = WebhookDelivery.State


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.KEYS = tmp_path
    settings.EXPUNGE_WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def told(receiver):
    """A webhook that is told of verified requests and of withdrawn versions."""
    return webhooks.add_webhook(
        name="desk", url=receiver.url, kinds=["case.verified", "version.withdrawn"], now=NOW
    )


def happens(kind="version_withdrawn", now=NOW, case=None, **data: str):
    data = data or {"version": str(uuid.uuid4())}
    with transaction.atomic():
        return log.append(type=kind, case=case, now=now, data=data)


def deliver(made, now=NOW, spread=1.0):
    return webhook_delivery.deliver_next(webhook_id=made.webhook.pk, now=now, spread=spread)


def checked(receiver, made, now=NOW, seen=None):
    headers, body = receiver.heard[-1]
    return verify(headers, body, made.secret, now=now.timestamp(), seen=seen)


def next_try() -> datetime:
    found = WebhookDelivery.objects.get().next_at
    assert found
    return found


def stands(made):
    return [(one.state, one.attempts) for one in made.webhook.deliveries.order_by("index")]


# --- what is told ---------------------------------------------------------------------------


def test_the_page_has_the_table_of_the_code_and_a_receiver_that_works(told, receiver, capsys):
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    assert f"\n\n{webhook_events.table()}\n\n" in page
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    documented: dict[str, Any] = {}
    exec(code, documented)
    webhook_outbox.test(webhook_id=told.webhook.pk, user=None, now=timezone.now())
    deliver(told, timezone.now())
    ((headers, body),) = receiver.heard
    answers = [documented["receive"](headers, body, told.secret) for _ in range(2)]
    assert answers == [204, 204]
    assert capsys.readouterr().out == "webhook.test {}\n"
    assert documented["receive"](headers, body + b" ", told.secret) == 400


def test_every_kind_is_an_event_of_the_log_and_tells_no_digest_and_no_commitment():
    for name, kind in KINDS.items():
        fields = SCHEMA[kind.event]
        assert set(kind.fields) <= set(fields), name
        assert not {fields[one].name for one in kind.fields} & {
            one.name for one in (SHA256, COMMITMENT, SALTED)
        }, name
        assert len(name) <= (WebhookDelivery._meta.get_field("kind").max_length or 0)


def test_a_real_request_is_told_of_by_its_reference_and_nothing_about_the_person(told, receiver):
    case = verified_case("zacharias@example.org")
    assert webhook_outbox.collect(now=NOW) == 1
    assert deliver(told) is True
    message = checked(receiver, told)
    leaf = LogLeaf.objects.get(type="request_verified")
    assert message.type == "case.verified"
    assert message.data == {
        "event": "request_verified",
        "index": leaf.index,
        "proof": f"/api/v1/log/proof/{leaf.index}",
        "case": case.reference,
    }
    assert message.timestamp == events.instant(NOW)
    assert b"zacharias" not in receiver.bodies[0]
    headers = receiver.heard[0][0]
    assert headers["Host"] == receiver.url.split("/")[2]
    assert headers["Content-Type"] == "application/json"


def test_only_an_overdue_reminder_is_overdue(told):
    Webhook.objects.update(kinds=["case.overdue"])
    case = verified_case().pk
    for stage in ("P50", "P90", "OVERDUE"):
        happens("reminder_due", case=case, stage=stage, due_on="2026-04-02")
    assert webhook_outbox.collect(now=NOW) == 1
    body = json.loads(bytes(WebhookDelivery.objects.get().body))
    assert body["data"]["due_on"] == "2026-04-02"


def test_nothing_from_before_is_told_and_nothing_twice(receiver):
    happens()
    made = webhooks.add_webhook(
        name="late", url=receiver.url, kinds=["version.withdrawn"], now=NOW
    )
    assert webhook_outbox.collect(now=NOW) == 0
    leaves = [happens().index for _ in range(3)]
    happens("queue_paused", queue="heavy")
    assert webhook_outbox.collect(now=NOW) == 3
    assert webhook_outbox.collect(now=NOW) == 0
    while deliver(made):
        pass
    assert [json.loads(body)["data"]["index"] for body in receiver.bodies] == leaves


def test_what_is_rolled_back_is_not_told(told):
    with transaction.atomic():
        log.append(
            type="version_withdrawn", case=None, now=NOW, data={"version": str(uuid.uuid4())}
        )
        transaction.set_rollback(True)
    happens()
    assert webhook_outbox.collect(now=NOW) == 1


def test_many_events_are_collected_in_parts_without_a_gap(told, monkeypatch):
    monkeypatch.setattr(webhook_outbox, "AT_ONCE", 2)
    leaves = [happens().index for _ in range(5)]
    assert [webhook_outbox.collect(now=NOW) for _ in range(4)] == [2, 2, 1, 0]
    assert (
        list(told.webhook.deliveries.order_by("index").values_list("index", flat=True)) == leaves
    )


def test_a_database_from_a_backup_tells_an_event_again_under_the_same_id(told):
    happens()
    webhook_outbox.collect(now=NOW)
    before = WebhookDelivery.objects.get().pk
    WebhookDelivery.objects.all().delete()
    Webhook.objects.update(next_index=0)
    webhook_outbox.collect(now=NOW)
    assert WebhookDelivery.objects.get().pk == before


# --- how it is sent -------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "url",
    [
        "https://xn--a/",
        "https://desk.example:99999/",
        "https://desk.example:70000000000/",
        "https://desk.example:abc/",
    ],
)
def test_a_host_or_port_that_cannot_be_one_is_refused_when_it_is_added(url):
    with pytest.raises(webhooks.WebhookRefused, match=r"^url "):
        webhooks.add_webhook(name="desk", url=url, kinds=["case.sealed"], now=NOW)
    assert not Webhook.objects.exists()


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


def test_a_receiver_that_is_gone_is_told_no_more_until_somebody_resumes_it(told, receiver):
    receiver.answers = [(410, {})]
    happens()
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told) is False
    assert deliver(told) is None
    hook = Webhook.objects.get()
    assert (hook.state, hook.because) == ("PAUSED", "GONE")
    assert stands(told) == [(State.FAILED, 1), (State.WAITING, 0)]
    leaf = LogLeaf.objects.get(type="webhook_paused")
    assert events.parse(bytes(leaf.data)).data["by"] == "GONE"
    third = happens()
    assert webhook_outbox.collect(now=NOW) == 0
    assert webhooks.resume(webhook_id=hook.pk, user=None, now=NOW)
    assert webhook_outbox.collect(now=NOW) == 1
    assert deliver(told)
    assert deliver(told)
    assert json.loads(receiver.bodies[-1])["data"]["index"] == third.index


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


# --- secrets --------------------------------------------------------------------------------


def test_two_secrets_sign_for_a_day_and_then_the_first_is_destroyed(told, receiver):
    new = webhooks.change_secret(webhook_id=told.webhook.pk, number=1, now=NOW)
    assert new.secret != told.secret
    happens()
    webhook_outbox.collect(now=NOW)
    deliver(told)
    checked(receiver, told)
    checked(receiver, new)
    webhook_outbox.forget(now=NOW + 23 * HOUR)
    keys.get(told.webhook.secret_name(1))
    later = NOW + webhooks.OVERLAP
    webhook_outbox.forget(now=later)
    with pytest.raises(keys.KeyDestroyed):
        keys.get(told.webhook.secret_name(1))
    happens(now=later)
    webhook_outbox.collect(now=later)
    deliver(told, later)
    checked(receiver, new, later)
    with pytest.raises(NotGenuine):
        checked(receiver, told, later)


def test_a_change_that_is_asked_for_twice_is_made_once(told):
    webhooks.change_secret(webhook_id=told.webhook.pk, number=1, now=NOW)
    with pytest.raises(webhooks.WebhookExists, match="number 2, not 1"):
        webhooks.change_secret(webhook_id=told.webhook.pk, number=1, now=NOW)


def test_of_three_secrets_the_first_is_destroyed_at_once(told, django_capture_on_commit_callbacks):
    for number in (1, 2):
        with django_capture_on_commit_callbacks(execute=True):
            webhooks.change_secret(webhook_id=told.webhook.pk, number=number, now=NOW)
    with pytest.raises(keys.KeyDestroyed):
        keys.get(told.webhook.secret_name(1))
    assert len(webhooks.secrets_of(Webhook.objects.get(), NOW)) == 2


def test_the_secret_is_in_no_table_and_goes_with_the_webhook(
    told, django_capture_on_commit_callbacks
):
    row = Webhook.objects.values().get()
    assert told.secret not in str(row)
    assert told.secret not in repr(told)
    with django_capture_on_commit_callbacks(execute=True):
        webhooks.remove(webhook_id=told.webhook.pk, now=NOW)
    with pytest.raises(keys.KeyDestroyed):
        keys.get(told.webhook.secret_name(1))
    types = LogLeaf.objects.filter(type__startswith="webhook_").values_list("type", flat=True)
    assert list(types) == ["webhook_added", "webhook_removed"]


# --- who is told ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.org/",
        "ftp://desk.example.org/",
        "https://ann:pw@desk.example.org/",
        "https://",
        "https://[::1/",
        "https://desk.example.org/ x",
        "https://désk.example.org/",
        "https://desk.example.org/" + "x" * 1000,
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(url):
    with pytest.raises(webhooks.WebhookRefused, match="allowed is an https:// address") as refused:
        webhooks.add_webhook(name="desk", url=url, kinds=["case.sealed"], now=NOW)
    assert "pw" not in str(refused.value)
    assert not Webhook.objects.exists()


def test_a_name_a_kind_and_a_second_one_of_a_name_are_refused(told, receiver):
    for name in ("", "Desk", "-x", "x" * 65, "a b"):
        with pytest.raises(webhooks.WebhookRefused, match="name is"):
            webhooks.add_webhook(name=name, url=receiver.url, kinds=["case.sealed"], now=NOW)
    for kinds in ([], ["case.sealed", "case.eaten"]):
        with pytest.raises(webhook_events.KindsRefused, match=r"allowed are case\.received"):
            webhooks.add_webhook(name="other", url=receiver.url, kinds=kinds, now=NOW)
    with pytest.raises(webhooks.WebhookExists, match="There is a webhook desk"):
        webhooks.add_webhook(name="desk", url=receiver.url, kinds=["case.sealed"], now=NOW)


def test_staff_without_the_right_change_nothing(told):
    auditor = member("ann", "Auditor")
    for act in (workflow.pause_webhook, workflow.resume_webhook, workflow.test_webhook):
        with pytest.raises(NotAllowed):
            act(webhook_id=told.webhook.pk, user=auditor)
    assert Webhook.objects.get().state == "ACTIVE"


def test_messages_that_are_done_with_go_after_their_days_and_others_stay(told, receiver, settings):
    settings.EXPUNGE_WEBHOOK_KEEP_DAYS = 1
    happens()
    webhook_outbox.collect(now=NOW)
    deliver(told)
    happens()
    webhook_outbox.collect(now=NOW)
    webhook_outbox.forget(now=NOW + 25 * HOUR)
    assert stands(told) == [(State.WAITING, 0)]


# --- the sweep, the command -----------------------------------------------------------------


def test_the_sweep_makes_messages_and_rings_for_those_due(told, receiver, monkeypatch):
    rung = []
    monkeypatch.setattr(doorbell, "send", lambda *call: rung.append(call))
    happens()
    webhook_actions.tell_all(NOW)
    assert rung == [("audits.tell_webhook", str(told.webhook.pk), "lineage")]
    happens()
    happens()
    webhook_actions.tell_all(NOW)
    assert webhook_actions.tell(told.webhook.pk, datetime.max.replace(tzinfo=UTC)) == 3
    rung.clear()
    webhook_actions.tell_all(NOW)
    assert rung == []
    happens()
    webhook_actions.tell_all(NOW)
    tasks.tell_webhook(str(told.webhook.pk))
    assert len(receiver.heard) == 4
    limit = tasks.tell_webhook.time_limit
    assert limit
    assert timedelta(seconds=limit) < webhook_delivery.LEASE


def run(*argv: str):
    out = StringIO()
    call_command("webhooks", *argv, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_the_command_adds_lists_tests_rotates_and_removes(receiver):
    secret = run("add", "desk", receiver.url, "--event", "version.withdrawn")
    assert secret.startswith("whsec_")
    assert "not told anything yet" in run()
    assert run("test", "desk") == "It was taken: 204."
    headers, body = receiver.heard[0]
    assert verify(headers, body, secret).type == "webhook.test"
    receiver.answers = [(500, {})]
    with pytest.raises(CommandError, match="It was not taken: 500"):
        run("test", "desk")
    (one, _) = json.loads(run("deliveries", "desk", "--json"))
    assert one["state"] == "FAILED"
    assert run("redeliver", one["message"]) == "It was taken: 204."
    assert receiver.bodies[1] == receiver.bodies[2]
    assert run("pause", "desk") == "desk is paused."
    assert run("pause", "desk") == "desk was paused."
    assert "paused" in run("list")
    assert run("resume", "desk") == "desk goes on."
    assert run("rotate", "desk") not in ("", secret)
    assert "destroyed" in run("remove", "desk")
    assert run() == "No system is told anything."


def test_the_command_says_what_is_wrong(receiver):
    for argv, said in (
        (("remove", "desk"), "There is no webhook 'desk'"),
        (("add", "desk", receiver.url, "--event", "x"), "events is x; allowed"),
        (("redeliver", str(uuid.uuid4())), "There is no message"),
    ):
        with pytest.raises(CommandError, match=said):
            run(*argv)


def test_a_receiver_that_cannot_be_reached_is_not_asked_through_a_proxy(
    told, receiver, monkeypatch
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    happens()
    webhook_outbox.collect(now=NOW)
    assert deliver(told) is True
    assert httpx.Client().trust_env  # which is why it is said


def test_the_case_of_a_message_may_be_gone(told):
    case = verified_case()
    ErasureRequest.objects.filter(pk=case.pk).update(reference="ER-GONE")
    leaf = LogLeaf.objects.get(type="request_verified")
    event = events.parse(bytes(leaf.data))
    body = webhook_events.message_of(uuid.uuid4(), event, index=leaf.index, reference="")
    assert "case" not in json.loads(body)["data"]
    assert LogHead.objects.get().size > leaf.index
