"""Scopes do not widen one another: each address gives what its own scope is for, and no more."""

from __future__ import annotations

import uuid
from itertools import combinations

import pytest

from audits.models import ErasureRequest
from tests.api.worlds import get, post, secret

pytestmark = pytest.mark.django_db
# Each call about a case of somebody else, and the scope that opens it.
OF_CASES = {
    "cases/{reference}": "cases:read",
    "cases/{reference}/runs": "cases:read",
    "cases/{reference}/decisions": "cases:read",
    "cases/{reference}/evidence": "evidence:read",
    "cases/{reference}/evidence/{evidence_id}": "evidence:read",
    "cases/{reference}/report?format=json": "reports:read",
}
ABOUT_CASES = ("intake", "cases:read", "cases:write", "evidence:read", "reports:read")
PAIRS = [*((one,) for one in ABOUT_CASES), *combinations(ABOUT_CASES, 2)]
CHECK = {"method": "CALL_BACK", "level": "SUBSTANTIAL", "doubt": "NO_RECORD_FOUND"}


@pytest.mark.parametrize("scopes", PAIRS, ids="+".join)
def test_a_case_of_others_is_opened_by_the_scope_of_the_address_alone(shared, client, scopes):
    key, reference = secret(*scopes, name="+".join(scopes)), shared.case.reference
    for address, scope in OF_CASES.items():
        answer = get(client, key, address.format(**shared.known))
        assert (answer.status_code == 200) == (scope in scopes), address
        assert answer.status_code in {200, 403, 404}, address
    if {"intake", "cases:read"} & set(scopes):
        listed = [one["reference"] for one in get(client, key, "cases").json()["items"]]
        assert (reference in listed) == ("cases:read" in scopes)


def test_what_a_key_handed_in_it_sees_whatever_else_it_may(shared, client):
    key = secret("intake", "evidence:read", name="shop")
    made = post(client, key, "cases", {"email": "new@example.org"}).json()["reference"]
    assert [one["reference"] for one in get(client, key, "cases").json()["items"]] == [made]
    assert get(client, key, f"cases/{made}/runs").json() == []


# --- people ------------------------------------------------------------------


def test_what_is_held_about_a_person_takes_the_scope_for_people(shared, client):
    plain, whole = secret("lineage:read"), secret("lineage:read", "subjects:read")
    who = f"?subject={shared.known['subject']}"
    for address in (f"lineage/affected{who}", f"versions/{shared.child.pk}/why{who}"):
        refused = get(client, plain, address)
        assert refused.status_code == 403
        assert "subjects:read" in refused.json()["detail"]
        assert get(client, whole, address).status_code == 200
    unknown = get(client, plain, f"lineage/affected?subject={uuid.uuid4()}")
    assert unknown.status_code == 403  # and not 404, which would say who is here


def test_a_digest_of_records_is_not_told_without_the_scope_for_people(shared, client):
    plain, whole = secret("lineage:read"), secret("lineage:read", "subjects:read")
    of_version = f"versions/{shared.child.pk}/why?record=photos:0"
    assert get(client, plain, of_version).json()["forget_set_digest"] is None
    assert len(get(client, whole, of_version).json()["forget_set_digest"]) == 64
    hits = get(client, plain, "lineage/affected?record=photos:0").json()["affected"]
    assert {hit["forget_set_digest"] for hit in hits} == {None}


# --- one key, two people ------------------------------------------------------------------


def test_no_key_confirms_who_asks_in_a_request_that_keys_of_its_name_handed_in(shared, client):
    both = secret("intake", "cases:write", name="shop")
    made = post(client, both, "cases", {"email": "new@example.org"}).json()["reference"]
    for key in (both, secret("cases:write", name="shop")):  # another key, the same program
        refused = post(client, key, f"cases/{made}/verify", CHECK)
        assert refused.status_code == 403
        assert f"Keys of the name 'shop' handed in case {made}" in refused.json()["detail"]
    case = ErasureRequest.objects.get(reference=made)
    assert case.status == "RECEIVED"
    assert not case.identity_checks.exists()
    told = post(client, secret("cases:write", name="desk"), f"cases/{made}/verify", CHECK)
    assert told.status_code == 200
