"""Who is told: addresses, secrets, rights and the command."""

from __future__ import annotations

import json
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audits import workflow
from audits.core import events, webhook_events
from audits.models import LogLeaf, Webhook
from audits.services import webhook_outbox, webhooks
from audits.services.rights import NotAllowed
from expunge.webhooks import NotGenuine, verify
from lineage import keys
from tests.audits.webhooks.messages import HOUR, NOW, State, checked, deliver, happens, stands
from tests.audits.world import member

pytestmark = pytest.mark.django_db


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
