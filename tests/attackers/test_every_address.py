"""Each address of the site, by its map, asked by whoever must not have it.

The roles of each page and action: ``tests/audits/test_role_matrix.py``. The scopes of the API:
``tests/api/test_rights.py`` and ``tests/api/test_scopes_of_objects.py``.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audits.models import LogHead, StaffSession
from benchmarks.staff_pages import staff_pages
from lineage.services.jobs import create_job
from tests.api.worlds import bearer, secret
from tests.attackers.counting import tried
from tests.attackers.site_map import OPEN, every_address, from_the_street, of_the_work
from tests.audits.views import staff_tour
from tests.audits.world import member, verified_case

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
# By name: what the API says of all that is not there, and services for sign-in that nobody set up.
NOT_THERE = {"api-root", "openid_connect_login", "openid_connect_callback"}
JSON = "application/json"
# Of the admin: its front page and its search find nothing for somebody without rights.
OF_EVERY_ACCOUNT = {
    *("admin/", "admin/search/", "admin/logout/", "admin/jsi18n/"),
    *("admin/password_change/", "admin/password_change/done/"),
}
# Of each parameter with an id, an object that belongs to one case.
OF_A_CASE = {
    *("decision_id", "exception_id", "finding_id", "run_id", "evidence_id", "letter_id"),
    *("notice_id", "job_id", "addressee_id"),
}
NAMED = {"audits:figure", "audits:evidence_table"}  # the evidence of the world has none


def outcome(response) -> str:
    """What an answer comes to: "in", "refused" or "not there"."""
    if response.status_code in {401, 403}:
        return "refused"
    if response.status_code == 302:
        target = response.headers["Location"]
        return "refused" if "/login/" in target or target == "/erasure/" else "in"
    return "not there" if response.status_code in {404, 405, 410} else "in"


def test_anybody_from_the_street_opens_nothing_but_what_is_for_everybody():
    client, inside, tries = Client(), set(), from_the_street()
    asked_to_sign_in, before = set(), LogHead.objects.get().size
    for one, method in tries:
        answer = getattr(client, method)(one.path)
        found = outcome(answer)
        if found == "in":
            inside.add(one.route)
        elif found == "refused":
            asked_to_sign_in.add(one.route)
        # Whatever an address is made with, it is not looked for: that would tell what there is.
        if one.route not in OPEN and one.name not in NOT_THERE:
            assert answer.status_code not in {404, 410}, (method, one)
    assert inside <= {*OPEN, "admin/logout/"}, inside - OPEN
    known = {one.route for one, _ in tries if one.name not in NOT_THERE}
    assert known <= OPEN | asked_to_sign_in | inside
    assert LogHead.objects.get().size == before
    assert len(tries) > 1000
    tried("addresses asked without signing in", len(tries))


def test_whoever_is_signed_in_without_a_role_opens_nothing_of_the_work():
    client = Client()
    client.force_login(User.objects.create_user("new", is_staff=True))
    pages = of_the_work()
    inside = {one.route for one in pages if outcome(client.get(one.path)) == "in"}
    assert inside <= OF_EVERY_ACCOUNT, inside - OF_EVERY_ACCOUNT
    tried("addresses asked by staff without a role", len(pages))


def of_two_objects():
    """The address of each page of a case and of something that belongs to it, with both ids."""
    kept, own = staff_tour._seeded()
    notice, now = staff_tour._notice().split("/")[-2], timezone.now()
    job = create_job(key="of", kind="UNLEARN", queue="heavy", payload_id=kept["run_id"], now=now)
    kept |= {"notice_id": notice, "job_id": job.pk}
    for address, wanted in staff_pages():
        if "case_id" in wanted and {*wanted} & OF_A_CASE:
            ids = {**kept, **own.get(address.partition(":")[2], {})}
            yield address, {key: ids[key] for key in wanted}


def test_the_object_of_one_case_is_not_there_under_the_address_of_another():
    pages = list(of_two_objects())
    other = verified_case("mallory@example.org")
    client = Client()
    client.force_login(User.objects.get(username="head"))
    assert {name for _, ids in pages for name in ids} >= OF_A_CASE
    own = {address: client.get(reverse(address, kwargs=ids)).status_code for address, ids in pages}
    assert {name for name, status in own.items() if status not in {200, 405}} <= NAMED
    before, street = LogHead.objects.get().size, Client()
    for address, ids in pages:
        for method in (street.get, street.post):  # an object that is there opens to nobody, too
            answer = method(reverse(address, kwargs=ids))
            assert outcome(answer) == "refused" or answer.status_code == 405, address
        path = reverse(address, kwargs={**ids, "case_id": other.pk})
        for method in (client.get, client.post):
            assert method(path).status_code in {404, 405}, (address, method)
    assert LogHead.objects.get().size == before
    tried("objects of one case under another", 2 * len(pages))
    tried("objects asked for without signing in", 2 * len(pages))


def test_nobody_ends_the_session_of_somebody_else():
    one, other = Client(), Client()
    for client, name in ((one, "ann"), (other, "eve")):
        client.force_login(member(name, "Case officer"))
        client.get("/home/")
    mine = StaffSession.objects.get(member__username="ann")
    other.post(f"/accounts/sessions/{mine.pk}/end/")
    assert StaffSession.objects.filter(pk=mine.pk).exists()
    assert one.get("/home/").status_code == 200
    tried("sessions of others ended")


def test_a_key_that_hands_in_requests_sees_no_case_of_another_program():
    case = verified_case("ada@example.org")
    state = (case.status, case.outcome)
    client, asked = Client(), 0
    key = secret("intake", name="shop")
    for one in every_address():
        if one.route.startswith("api/v1/cases/<reference>"):
            path = "/" + one.route.replace("<reference>", case.reference)
            path = path.replace("<evidence_id>", str(uuid.uuid4()))
            for method in (client.get, client.post):
                asked += 1
                headers = bearer(key, idempotency_key=str(uuid.uuid4()))
                body: dict[str, Any] = {"data": "{}", "content_type": JSON}
                answer = method(path, headers=headers, **({} if method == client.get else body))
                assert answer.status_code in {403, 404, 405}, path
                assert "ada" not in answer.content.decode()
    case.refresh_from_db()
    assert (case.status, case.outcome) == state
    assert asked >= 20
    tried("cases of another program asked for by key", asked)


def test_a_session_opens_nothing_of_the_api_and_a_key_no_page():
    officer, asked = Client(), 0
    officer.force_login(User.objects.create_superuser("root"))
    open_to_all = {route for route in OPEN if route.startswith("api/")} | {"api/v1/"}
    for one in every_address():
        if one.route.startswith("api/") and one.route not in open_to_all:
            asked += 1
            found = {officer.get(one.path).status_code, officer.post(one.path).status_code}
            assert found <= {401, 405}, one.path
            assert 401 in found or officer.delete(one.path).status_code == 401, one.path
    headers = bearer(secret("cases:read", "lineage:read"))
    for path in ("/cases/", "/home/", "/log/", "/admin/", "/models/"):
        asked += 1
        assert "/login/" in Client().get(path, headers=headers).headers["Location"]
    tried("one way in used for the other", asked)
