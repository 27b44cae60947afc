"""Webhooks by the API: the secret once, calls made twice, what is refused."""

from __future__ import annotations

import uuid

import pytest

from audits.models import LogLeaf, Webhook
from lineage import keys
from tests.api.worlds import bearer, secret

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks"
NEW = {"name": "desk", "url": "https://desk.example/hook", "events": ["case.sealed"]}


@pytest.fixture
def call(client, settings, tmp_path):
    settings.KEYS = tmp_path
    key = secret("webhooks:write")

    def made(method, path="", content=None, **headers: str):
        more = (
            {} if method == "get" else {"data": content or {}, "content_type": "application/json"}
        )
        return getattr(client, method)(HOOKS + path, headers=bearer(key, **headers), **more)

    return made


def test_a_webhook_is_added_shown_paused_and_removed_and_its_secret_shown_once(call):
    answer = call("post", content=NEW)
    assert answer.status_code == 201
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    path = f"/{made['webhook']}"
    shown = call("get", path).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert call("get").json()["items"] == [shown]
    assert call("post", path + "/pause").json()["paused_because"] == "STAFF"
    assert call("post", path + "/pause").json()["state"] == "PAUSED"
    assert call("post", path + "/resume").json()["health"] == "Not told anything yet"
    assert call("delete", path).status_code == 204
    assert call("delete", path).status_code == 404
    assert call("get", path).status_code == 404


def test_a_lost_answer_is_a_conflict_and_the_secret_can_be_changed(call):
    made = call("post", content=NEW).json()
    again = call("post", content=NEW)
    assert again.status_code == 409
    assert "There is a webhook desk" in again.json()["detail"]
    path = f"/{made['webhook']}/secret"
    changed = call("post", path, {"number": 1}).json()
    assert changed["secret"] != made["secret"]
    assert changed["two_secrets_until"]
    assert call("post", path, {"number": 1}).status_code == 409
    assert LogLeaf.objects.filter(type="webhook_secret_changed").count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://desk.example/"}, "https:// address"),
        ({"name": "A desk"}, "name is 'A desk'"),
        ({"events": []}, "events is none"),
        ({"events": ["case.eaten"]}, "events is case.eaten"),
    ],
)
def test_what_cannot_be_used_is_a_problem_that_names_it(call, change, said):
    answer = call("post", content={**NEW, **change})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert not Webhook.objects.exists()


def test_messages_are_listed_by_state_and_sent_again_under_their_id(call):
    path = f"/{call('post', content=NEW).json()['webhook']}"
    tested = call("post", path + "/test", idempotency_key="1")
    assert tested.status_code == 202
    assert call("post", path + "/test", idempotency_key="1").json() == tested.json()
    assert call("post", path + "/test").status_code == 422  # no Idempotency-Key
    (one,) = call("get", path + "/deliveries").json()["items"]
    assert one == tested.json()
    assert call("get", path + "/deliveries?state=FAILED").json()["items"] == []
    again = call("post", f"{path}/deliveries/{one['message']}/again", idempotency_key="2")
    assert again.status_code == 202
    assert again.json()["message"] == one["message"]
    nowhere = f"{path}/deliveries/{uuid.uuid4()}/again"
    assert call("post", nowhere, idempotency_key="3").status_code == 404


def test_no_answer_that_is_kept_holds_a_secret(call):
    from lineage.models import KeptAnswer

    made = call("post", content=NEW, idempotency_key="1").json()
    number = {"number": 1}
    changed = call("post", f"/{made['webhook']}/secret", number, idempotency_key="2").json()
    assert not KeptAnswer.objects.exists()
    hook = Webhook.objects.get()
    assert keys.get(hook.secret_name(1)) != keys.get(hook.secret_name(2))
    assert made["secret"] != changed["secret"]
