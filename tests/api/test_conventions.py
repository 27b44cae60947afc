"""What holds for every call: problems, pages, ETags, rates, and calls that are made twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.utils import timezone

from lineage.api.rates import count_call, tell_rate
from lineage.models import ApiKey, KeptAnswer
from lineage.services.kept_answers import UNDER_WAY
from tests.api.worlds import NOON, bearer, secret, small_world
from tests.audits.bare_cases import CONSENT, verified_case

pytestmark = pytest.mark.django_db
GROUND = {
    "code": CONSENT,
    "purpose": "Training",
    "assessment": "Taken back.",
    "other_ground": "No",
}
ACCEPT = {"decision": "ACCEPT", "grounds": [GROUND]}


@pytest.fixture
def case(signing_key, rung):
    return verified_case()


def propose(client, case, key, *, again="one", content=ACCEPT, media_type="application/json"):
    return client.post(
        f"/api/v1/cases/{case.reference}/decisions",
        content if isinstance(content, str) else json.dumps(content),
        content_type=media_type,
        headers=bearer(key, **({"idempotency_key": again} if again else {})),
    )


def problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    return told["detail"]


# --- problems ------------------------------------------------------------------


def test_what_is_no_json_no_method_or_no_address_is_a_problem(client, case):
    key = secret("cases:write")
    assert "parse" in problem(propose(client, case, key, content="{"), 400)
    assert "send application/json" in problem(
        propose(client, case, key, media_type="text/plain"), 415
    )
    refused = client.delete("/api/v1/versions", headers=bearer(key))
    assert "GET" in problem(refused, 405)
    assert refused["Allow"] == "GET"
    problem(client.get("/api/v1/versions/"), 404)
    problem(client.get("/api/v2/%0Aversions"), 404)


def test_a_value_that_is_refused_is_named_and_not_repeated(client):
    key = secret("subjects:read")
    answer = client.post(
        "/api/v1/subjects/find",
        {"kind": "NAME", "value": "Ozymandias"},
        content_type="application/json",
        headers=bearer(key),
    )
    assert "kind" in problem(answer, 422)
    assert "Ozymandias" not in answer.content.decode()


def test_a_character_that_no_database_keeps_is_refused(client, case):
    key = secret("cases:write", "lineage:read")
    said = {**ACCEPT, "assessment": "a\0b"}
    assert "U+0000" in problem(propose(client, case, key, content=said), 422)
    words = {**ACCEPT, "assessment": "In C:\\u0000 lay the file."}  # a backslash, and no escape
    assert propose(client, case, key, content=words).status_code == 201
    asked = client.get("/api/v1/versions?model=a%00", headers=bearer(key))
    assert "U+0000" in problem(asked, 422)


# --- calls that are made twice ------------------------------------------------------------------


def test_the_same_call_again_is_carried_out_once_and_answered_alike(client, case):
    key = secret("cases:write")
    first, second = (propose(client, case, key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert case.decisions.count() == 1


def test_the_same_key_with_another_call_is_refused_and_another_key_is_another_call(client, case):
    key = secret("cases:write")
    propose(client, case, key)
    refuse = {"decision": "REFUSE", "refusal_code": "NO_GROUND"}
    assert "another call" in problem(propose(client, case, key, content=refuse), 409)
    other = secret("cases:write", name="other")
    assert "proposed already" in problem(propose(client, case, other), 409)


def test_a_call_without_its_key_is_refused(client, case):
    key = secret("cases:write")
    assert "Idempotency-Key" in problem(propose(client, case, key, again=""), 422)
    assert "200" in problem(propose(client, case, key, again="x" * 201), 422)


def test_a_call_under_way_is_not_begun_again_unless_its_process_died(client, case):
    key = secret("cases:write")
    propose(client, case, key)
    KeptAnswer.objects.update(status=None, made_at=timezone.now())
    assert "not answered yet" in problem(propose(client, case, key), 425)
    KeptAnswer.objects.update(made_at=timezone.now() - UNDER_WAY)
    assert "proposed already" in problem(propose(client, case, key), 409)  # carried out again


def test_what_was_kept_goes_after_some_hours(client, case, settings):
    key = secret("cases:write")
    propose(client, case, key)
    gone = timezone.now() - timedelta(hours=settings.EXPUNGE_API_KEEP_HOURS, seconds=1)
    KeptAnswer.objects.update(made_at=gone)
    propose(client, case, key, again="two")
    assert KeptAnswer.objects.count() == 1


def test_what_is_kept_of_a_call_does_not_say_what_it_was(client, case):
    propose(client, case, secret("cases:write"), again="my-own-words")
    kept = KeptAnswer.objects.values().get()
    assert "my-own-words" not in str(kept)
    assert "Taken back" not in str(kept)


# --- pages and ETags ------------------------------------------------------------------


def test_pages_hold_every_row_once_and_end(client, signing_key):
    small_world()
    key, found = secret("lineage:read"), []
    address = "/api/v1/records?space=photos&limit=4"
    while address:
        page = client.get(address, headers=bearer(key)).json()
        found += [one["ordinal"] for one in page["items"]]
        address = page["next"]
    assert found == list(range(9))


def test_the_newest_come_first_and_a_cursor_is_of_its_own_list(client, signing_key):
    world = small_world()
    key = secret("lineage:read")
    first = client.get("/api/v1/versions?limit=1", headers=bearer(key)).json()
    rest = client.get(f"/api/v1/versions?cursor={first['cursor']}", headers=bearer(key)).json()
    shown = [one["version"] for one in (*first["items"], *rest["items"])]
    assert sorted(shown) == sorted(map(str, (world.version.pk, world.child.pk)))
    assert rest["next"] is None
    for wrong in (first["cursor"] + "x", "me"):
        asked = client.get(f"/api/v1/versions?cursor={wrong}", headers=bearer(key))
        assert "none of this list's" in problem(asked, 422)
    other = client.get(f"/api/v1/runs?cursor={first['cursor']}", headers=bearer(key))
    problem(other, 422)
    for limit in (0, 201, "all"):
        problem(client.get(f"/api/v1/versions?limit={limit}", headers=bearer(key)), 422)


def test_what_did_not_change_is_not_sent_again(client, signing_key):
    address = f"/api/v1/versions/{small_world().version.pk}"
    key = secret("lineage:read")
    first = client.get(address, headers=bearer(key))
    again = client.get(address, headers=bearer(key, if_none_match=first["ETag"]))
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(address, headers=bearer(key, if_none_match='"other"'))
    assert (other.status_code, other["ETag"]) == (200, first["ETag"])


# --- keys ------------------------------------------------------------------


def test_a_key_may_make_so_many_calls_a_minute(client, settings, monkeypatch):
    settings.EXPUNGE_API_PER_MINUTE = 2
    monkeypatch.setattr("lineage.api.auth.timezone.now", lambda: NOON + timedelta(seconds=20))
    key, other = secret("lineage:read"), secret("lineage:read", name="other")
    told = [client.get("/api/v1/runs", headers=bearer(key)) for _ in range(3)]
    assert [one.status_code for one in told] == [200, 200, 429]
    assert [one["RateLimit-Remaining"] for one in told] == ["1", "0", "0"]
    assert (told[2]["RateLimit-Limit"], told[2]["Retry-After"]) == ("2", "40")
    assert "EXPUNGE_API_PER_MINUTE" in problem(told[2], 429)
    assert client.get("/api/v1/runs", headers=bearer(other)).status_code == 200
    monkeypatch.setattr("lineage.api.auth.timezone.now", lambda: NOON + timedelta(seconds=60))
    assert client.get("/api/v1/runs", headers=bearer(key)).status_code == 200


def test_a_call_that_the_key_may_not_make_counts_as_well(client, settings, monkeypatch):
    settings.EXPUNGE_API_PER_MINUTE = 2
    monkeypatch.setattr("lineage.api.auth.timezone.now", lambda: NOON)
    key = secret("lineage:read")
    told = [client.get("/api/v1/webhooks", headers=bearer(key)).status_code for _ in range(3)]
    assert told == [403, 403, 429]


def test_calls_of_several_threads_are_all_counted(rf, settings, tmp_path):
    settings.EXPUNGE_API_PER_MINUTE = 10_000
    files = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": files, "LOCATION": str(tmp_path)}}
    key = ApiKey()

    def call(_: int) -> int:
        request = rf.get("/")
        count_call(request, key, NOON)
        response = HttpResponse()
        tell_rate(request, response)
        return int(response["RateLimit-Remaining"])

    with ThreadPoolExecutor(8) as threads:
        left = list(threads.map(call, range(80)))
    assert sorted(left) == list(range(10_000 - 80, 10_000))


def test_that_a_key_was_used_is_written_once_a_minute(client):
    key = secret("lineage:read")
    client.get("/api/v1/runs", headers=bearer(key))
    noted = ApiKey.objects.get().last_used_at
    assert noted is not None
    client.get("/api/v1/runs", headers=bearer(key))
    assert ApiKey.objects.get().last_used_at == noted
    ApiKey.objects.update(last_used_at=noted - timedelta(minutes=1))
    client.get("/api/v1/runs", headers=bearer(key))
    again = ApiKey.objects.get().last_used_at
    assert again is not None
    assert again >= noted


def test_the_log_of_the_server_says_which_key_made_a_call_and_nothing_of_people(
    client, case, caplog
):
    caplog.set_level("INFO", logger="expunge.api")
    key = secret("cases:write", "lineage:read")
    propose(client, case, key)
    client.get("/api/v1/runs", headers=bearer(key))
    told = [one.getMessage() for one in caplog.records if one.name == "expunge.api"]
    assert told == [f"key={key.split('_')[1]} operation=propose_decision status=201"]
    assert case.reference not in caplog.text
    assert key not in caplog.text
