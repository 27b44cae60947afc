"""The pages of webhooks: who is told what, how that goes, and what staff do about it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from audits.models import Webhook, WebhookDelivery
from audits.services import webhook_outbox, webhooks
from tests.audits.views.visits import text_of

MOST_QUERIES = 25


@pytest.fixture
def hook():
    return webhooks.add_webhook(
        name="tickets",
        url="https://tickets.example/hook",
        kinds=["case.sealed", "version.withdrawn"],
        now=timezone.now(),
    ).webhook


def message(hook, index=None, **fields: Any):  # noqa: ANN401  (of the model)
    made = webhook_outbox.test(webhook_id=hook.pk, user=None, now=timezone.now())
    given = {"state": "FAILED", "next_at": None, "index": index, "attempts": 3, **fields}
    WebhookDelivery.objects.filter(pk=made.pk).update(**given)
    return made


def test_an_installation_without_webhooks_teaches_how_to_add_one(reader):
    page = text_of(reader.get("/webhooks/"))
    assert "No system is told anything." in page
    assert "manage.py webhooks add" in page


def test_a_webhook_is_listed_with_how_it_stands_and_no_secret(reader, hook):
    message(hook, index=0)
    Webhook.objects.update(failures=4)
    page = text_of(reader.get("/webhooks/"))
    assert "4 tries failed in a row" in page
    assert f'href="/webhooks/{hook.pk}/"' in page
    for path in ("/webhooks/", f"/webhooks/{hook.pk}/"):
        text = text_of(reader.get(path))
        assert webhooks.secrets_of(hook, timezone.now())[0] not in text
        assert "whsec_" not in text


def test_staff_send_a_message_again_pause_test_and_resume(decider, hook):
    lost = message(hook, index=0, error="ReadTimeout")
    path = f"/webhooks/{hook.pk}/"
    page = text_of(decider.get(path))
    assert "ReadTimeout" in page
    assert "Given up" in page
    assert "with the id that it had" in text_of(
        decider.post(f"{path}{lost.pk}/again/", follow=True)
    )
    assert WebhookDelivery.objects.get().state == "WAITING"
    assert "It is paused." in text_of(decider.post(path + "pause/", follow=True))
    assert Webhook.objects.get().because == "STAFF"
    assert "It goes on" in text_of(decider.post(path + "resume/", follow=True))
    assert "test message goes out" in text_of(decider.post(path + "test/", follow=True))
    assert WebhookDelivery.objects.filter(kind="webhook.test", index=None).count() == 1


def test_a_message_of_another_webhook_is_not_sent_again_here(decider, hook):
    one = message(hook)
    assert decider.post(f"/webhooks/{uuid.uuid4()}/{one.pk}/again/").status_code == 404
    assert WebhookDelivery.objects.get().state == "FAILED"


def test_what_is_listed_can_be_narrowed_to_a_state(reader, hook):
    message(hook, index=0, error="ReadTimeout")
    path = f"/webhooks/{hook.pk}/"
    assert "ReadTimeout" in text_of(reader.get(path + "?state=FAILED"))
    assert "No message is in this state." in text_of(reader.get(path + "?state=SENT"))
    assert "ReadTimeout" in text_of(reader.get(path + "?state=nonsense"))


def test_home_names_a_webhook_that_lost_messages_and_one_that_is_gone(decider, reader, hook):
    assert "Webhooks that lost messages" not in text_of(decider.get("/home/"))
    message(hook)  # a test that failed is no loss
    assert "Webhooks that lost messages" not in text_of(decider.get("/home/"))
    message(hook, index=0)
    page = text_of(decider.get("/home/"))
    assert "Webhooks that lost messages" in page
    assert f'href="/webhooks/{hook.pk}/?state=FAILED"' in page
    assert "Model operator or Administrator" in text_of(reader.get("/home/"))
    WebhookDelivery.objects.all().delete()
    Webhook.objects.update(state="PAUSED", because="GONE")
    assert "Gone (410), paused" in text_of(decider.get("/home/"))


@pytest.mark.parametrize(
    ("fields", "english", "german"),
    [
        ({"failures": 4}, "4 tries failed in a row", "4 Versuche in Folge sind fehlgeschlagen"),
        ({"failures": 1}, "The last try failed", "Der letzte Versuch ist fehlgeschlagen"),
        ({"state": "PAUSED", "because": "STAFF"}, "Paused", "Angehalten"),
        (
            {"state": "PAUSED", "because": "GONE"},
            "Gone (410), paused",
            "Verschwunden (410), angehalten",
        ),
        ({"answered_at": timezone.now()}, "It answers", "Er antwortet"),
        ({}, "Not told anything yet", "Noch nichts gemeldet"),
    ],
)
def test_how_it_stands_is_said_in_the_language_of_the_page(
    decider, hook, capsys, fields, english, german
):
    Webhook.objects.update(name="tickets", **fields)
    call_command("webhooks", "list")
    assert english.lower() in capsys.readouterr().out
    decider.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    for path in ("/webhooks/", f"/webhooks/{hook.pk}/"):
        page = text_of(decider.get(path))
        assert german in page
        assert english not in page


def test_messages_are_listed_in_the_language_of_the_page(decider, hook):
    message(hook, index=0, created_at=datetime(2026, 3, 2, 9, 5, tzinfo=UTC))
    decider.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    page = text_of(decider.get(f"/webhooks/{hook.pk}/"))
    assert "Le dossier est scellé." in page
    assert "Abandonné" in page
    assert "2 mars 2026, 09:05 UTC" in page
    assert "Webhooks qui ont perdu des messages" in text_of(decider.get("/home/"))


def test_the_pages_cost_the_same_whatever_they_list(decider, hook, django_assert_max_num_queries):
    paths = ("/webhooks/", f"/webhooks/{hook.pk}/")
    message(hook, index=0)
    decider.get(paths[0])  # what a process asks once
    costs = []
    for part in range(2):
        for path in paths:
            with django_assert_max_num_queries(MOST_QUERIES) as counted:
                decider.get(path)
            costs.append(len(counted))
        for index in range(1, 4):
            message(hook, index=index)
            webhooks.add_webhook(
                name=f"more{part}{index}", url=hook.url, kinds=hook.kinds, now=timezone.now()
            )
    assert costs[:2] == costs[2:]
