"""What webhooks are told: events of the log that become messages."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from audits.core import events, webhook_events
from audits.core.event_types import SCHEMA
from audits.core.fields import COMMITMENT, SALTED, SHA256
from audits.core.webhook_events import KINDS
from audits.models import ErasureRequest, LogHead, LogLeaf, Webhook, WebhookDelivery
from audits.services import log, webhook_delivery, webhook_outbox, webhooks
from audits.workflow import doorbell, tasks, webhook_actions
from tests.audits.bare_cases import verified_case
from tests.audits.webhooks.messages import HOUR, NOW, State, checked, deliver, happens, stands

pytestmark = pytest.mark.django_db


def test_the_page_has_the_table_of_the_code_and_a_receiver_that_works(told, receiver, capsys):
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
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


def test_messages_that_are_done_with_go_after_their_days_and_others_stay(told, receiver, settings):
    settings.EXPUNGE_WEBHOOK_KEEP_DAYS = 1
    happens()
    webhook_outbox.collect(now=NOW)
    deliver(told)
    happens()
    webhook_outbox.collect(now=NOW)
    webhook_outbox.forget(now=NOW + 25 * HOUR)
    assert stands(told) == [(State.WAITING, 0)]


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


def test_the_case_of_a_message_may_be_gone(told):
    case = verified_case()
    ErasureRequest.objects.filter(pk=case.pk).update(reference="ER-GONE")
    leaf = LogLeaf.objects.get(type="request_verified")
    event = events.parse(bytes(leaf.data))
    body = webhook_events.message_of(uuid.uuid4(), event, index=leaf.index, reference="")
    assert "case" not in json.loads(body)["data"]
    assert LogHead.objects.get().size > leaf.index
