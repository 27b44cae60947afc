"""What is asked over the API is answered from the world as it is, and only to who may know."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest
from django.utils import timezone

from audits.models import ComplianceRecord, Decision, ErasureRequest, Evidence
from audits.services import requests
from lineage.services.api_keys import KeyWithoutStaff
from tests.api.worlds import ANNA, get, post, secret
from tests.audits.bare_cases import ADA, CONSENT, member, person, verified_case
from tests.audits.kinds import confirmed

pytestmark = pytest.mark.django_db


# --- lineage ------------------------------------------------------------------


def test_a_person_is_found_by_an_identifier_in_the_body_and_their_models_by_pseudonym(
    shared, client
):
    key = secret("subjects:read", "lineage:read")
    found = post(client, key, "subjects/find", {"kind": "EMAIL", "value": ANNA}).json()
    assert found["found"] is True
    assert (found["subject"]["records"], found["subject"]["spaces"]) == (3, {"photos": 3})
    assert ANNA not in json.dumps(found)
    pseudonym = found["subject"]["subject"]
    assert get(client, key, f"subjects/{pseudonym}").json() == found["subject"]
    rows = get(client, key, f"subjects/{pseudonym}/records").json()["items"]
    assert [one["ordinal"] for one in rows] == [0, 1, 2]
    told = get(client, key, f"lineage/affected?subject={pseudonym}").json()
    assert {one["name"]: one["direct"] for one in told["affected"]} == {
        "base v1": True,
        "tuned v1": False,
    }
    nobody = post(client, key, "subjects/find", {"kind": "EMAIL", "value": "x@example.org"})
    assert nobody.json() == {"found": False, "subject": None}


def test_why_a_version_learned_from_a_record_is_a_way(shared, client):
    key, known = secret("lineage:read"), shared.known
    address = f"versions/{shared.child.pk}/why?record="
    told = get(client, key, address + known["record"]).json()
    assert (told["affected"], told["depth"], told["hits"]) == (True, 2, 1)
    assert [step["role"] for step in told["why"]] == ["TRAINING", "BASE_MODEL"]
    assert get(client, key, address + "photos:0").json() == told
    assert get(client, key, address + "photos:99").status_code == 404
    assert get(client, key, address + "elsewhere:0").status_code == 404
    for wrong in ("photos", "photos:-1", "photos:1e3", ""):
        assert get(client, key, address + wrong).status_code == 422


def test_what_a_version_and_a_run_read_is_listed(shared, client):
    key = secret("lineage:read")
    sources = get(client, key, f"versions/{shared.version.pk}/sources").json()
    assert [one["snapshot"] for one in sources] == [str(shared.data.pk)]
    run = get(client, key, f"runs/{shared.version.generated_by_id}").json()
    assert run["inputs"] == sources
    assert run["versions"] == [str(shared.version.pk)]
    taken = get(client, key, f"snapshots/{shared.data.pk}").json()
    assert (taken["dataset"], taken["record_count"]) == ("photos", 9)
    named = get(client, key, "versions?model=base").json()["items"]
    assert [one["version"] for one in named] == [str(shared.version.pk)]
    assert get(client, key, f"versions/{uuid.uuid4()}").status_code == 404


def test_whose_a_record_is_takes_a_scope_of_its_own(shared, client):
    address = f"records/{shared.known['record']}"
    plain = get(client, secret("lineage:read"), address).json()
    whole = get(client, secret("lineage:read", "subjects:read"), address).json()
    assert (plain["subject"], plain["target"], plain["sha256"]) == (None, None, None)
    assert whole["subject"] == shared.known["subject"]
    assert whole["sha256"] == hashlib.sha256(b"content 0").hexdigest()
    assert (plain["stored"], plain["restricted"]) == (True, False)


# --- cases ------------------------------------------------------------------


def test_a_case_its_runs_and_its_evidence_are_read(shared, client):
    key, reference = secret("cases:read", "evidence:read"), shared.case.reference
    assert get(client, key, f"cases/{reference}").json()["status"] == "SEALED"
    listed = get(client, key, "cases?status=SEALED").json()["items"]
    assert [one["reference"] for one in listed] == [reference]
    runs = get(client, key, f"cases/{reference}/runs").json()
    assert len(runs) == 4
    assert {one["verdict"] for one in runs} == set(
        shared.case.runs.values_list("verdicts__outcome", flat=True)
    )
    found = get(client, key, f"cases/{reference}/evidence").json()
    assert len(found) == Evidence.objects.filter(run__requests=shared.case).count()
    one = next(row for row in found if row["kind"] == "U_LIRA" and row["outcome"])
    whole = get(client, key, f"cases/{reference}/evidence/{one['evidence']}").json()
    assert (whole["outcome"], whole["digest"]) == (one["outcome"], one["digest"])
    assert get(client, key, f"cases/{reference}/evidence/{uuid.uuid4()}").status_code == 404


def test_the_sealed_record_is_handed_out_byte_for_byte(shared, client):
    key, reference = secret("reports:read"), shared.case.reference
    record = get(client, key, f"cases/{reference}/report?format=json")
    assert record.content == bytes(ComplianceRecord.objects.get(request=shared.case).data)
    for form in ("pdf", "zip", "manifest"):  # none is written in this world
        assert get(client, key, f"cases/{reference}/report?format={form}").status_code == 404


def test_a_key_that_hands_in_sees_its_own_cases_alone(shared, client):
    mine, other = secret("intake", name="shop"), secret("intake", name="bank")
    made = post(client, mine, "cases", {"email": "new@example.org"}).json()["reference"]
    assert [one["reference"] for one in get(client, mine, "cases").json()["items"]] == [made]
    assert get(client, other, "cases").json()["items"] == []
    assert get(client, mine, f"cases/{shared.case.reference}").status_code == 404
    assert post(client, other, f"cases/{made}/withdraw", {}).status_code == 404
    for _ in range(2):  # the second time there is nothing to do
        assert post(client, mine, f"cases/{made}/withdraw", {}).json()["status"] == "WITHDRAWN"


# --- four eyes ------------------------------------------------------------------


@pytest.fixture
def case(signing_key, rung):
    return verified_case()


def acceptance():
    ground = {"code": CONSENT, "purpose": "Training", "assessment": "Taken back."}
    return {"decision": "ACCEPT", "grounds": [{**ground, "other_ground": "None."}]}


def test_a_key_proposes_in_the_name_of_its_officer_and_somebody_else_approves(case, client):
    key = secret("cases:write", "cases:read")
    made = post(client, key, f"cases/{case.reference}/decisions", acceptance()).json()
    assert (made["state"], made["grounds"]) == ("PROPOSED", [CONSENT])
    decision = Decision.objects.get()
    assert decision.proposed_by == member("officer")
    case.refresh_from_db()
    assert case.status == "VERIFIED"
    assert get(client, key, f"cases/{case.reference}/decisions").json() == [made]


def test_a_key_can_do_no_more_than_whoever_it_acts_for(case, client):
    key = secret("cases:write", acts_for=member("reader", "Auditor"))
    refused = post(client, key, f"cases/{case.reference}/decisions", acceptance())
    assert refused.status_code == 403
    assert "Case officer" in refused.json()["detail"]
    officer = member("officer", "Case officer")
    key = secret("cases:write", name="second", acts_for=officer)
    officer.is_active = False
    officer.save()
    refused = post(client, key, f"cases/{case.reference}/decisions", acceptance())
    assert refused.status_code == 403
    assert not Decision.objects.exists()


def test_what_the_law_does_not_know_is_refused_in_a_sentence(case, client):
    key = secret("cases:write")
    said = {"decision": "REFUSE", "refusal_code": "NO_WISH"}
    refused = post(client, key, f"cases/{case.reference}/decisions", said)
    assert refused.status_code == 422
    assert "code is 'NO_WISH'; allowed are" in refused.json()["detail"]
    empty = post(client, key, f"cases/{case.reference}/decisions", {"decision": "ACCEPT"})
    assert "ground is missing" in empty.json()["detail"]


def test_identity_is_confirmed_in_the_name_of_an_officer(signing_key, rung, client):
    intake, key = secret("intake"), secret("cases:write", name="desk")
    made = post(client, intake, "cases", {"email": "new@example.org"}).json()["reference"]
    said = {"method": "CALL_BACK", "level": "SUBSTANTIAL"}
    told = post(client, key, f"cases/{made}/verify", said).json()
    assert told["status"] == "VERIFIED"
    check = ErasureRequest.objects.get(reference=made).identity_checks.get()
    assert check.checked_by == member("officer")


def test_a_key_acts_for_somebody_if_and_only_if_it_acts_on_cases(db):
    with pytest.raises(KeyWithoutStaff, match="cases:write"):
        secret("cases:write", acts_for=None)
    with pytest.raises(KeyWithoutStaff, match="no other key"):
        secret("lineage:read", acts_for=member("officer"))


def test_a_key_decides_an_objection_as_a_proposal_and_approves_none(signing_key, rung, client):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    key = secret("cases:write", "cases:read")
    said = {"result": "UPHELD", "balance": "short"}
    refused = post(client, key, f"cases/{case.reference}/objection", said)
    assert refused.status_code == 422
    said["balance"] = "Nothing that we need the pictures for outweighs what the person says."
    made = post(client, key, f"cases/{case.reference}/objection", said)
    assert (made.status_code, made.json()["state"]) == (201, "PROPOSED")
    assert made.json()["grounds"] == ["ART_17_1_C"]
    case.refresh_from_db()
    assert case.status == "VERIFIED"
    again = post(client, key, f"cases/{case.reference}/objection", said)
    assert again.status_code == 409


def test_a_key_takes_longer_once_in_the_name_of_its_officer(signing_key, rung, client):
    now, key = timezone.now(), secret("cases:write")
    asked = requests.receive_request(email=ADA, channel="FORM", now=now)
    case = requests.confirm_request(token=asked.confirm_token, now=now)
    said = {"reason": "COMPLEXITY"}
    for short in ("Too many.", f"Too many.{' ' * 20}"):
        said["text"] = short
        refused = post(client, key, f"cases/{case.reference}/extension", said)
        assert refused.status_code == 422, short
    said["text"] = "Forty models learned from these pictures."
    made = post(client, key, f"cases/{case.reference}/extension", said)
    assert made.status_code == 201
    assert (made.json()["reason"], bool(made.json()["told_at"])) == ("COMPLEXITY", True)
    case.refresh_from_db()
    assert str(case.due_on) == made.json()["new_due"]
    assert case.extension.decided_by == member("officer")
    again = post(client, key, f"cases/{case.reference}/extension", said)
    assert again.status_code == 409
    reader = secret("cases:write", name="r", acts_for=member("reader", "Auditor"))
    assert post(client, reader, f"cases/{case.reference}/extension", said).status_code == 403


def test_a_key_lists_the_deployments_of_its_name_alone(shared, client):
    mine, other = secret("serve", name="shop"), secret("serve", name="bank")
    said = {"version": str(shared.version.pk), "place": "shop window"}
    made = post(client, mine, "deployments", said).json()
    assert get(client, mine, "deployments").json()["items"] == [made]
    assert get(client, other, "deployments").json()["items"] == []
