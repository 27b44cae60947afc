"""The pages of the registers, and what the page of a case says of whom was told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audits.models import AnonymityClaim, Notice, Publication, Recipient, VersionException
from audits.queries.anonymity import families
from audits.services import deployments
from lineage.models import Deployment, ModelVersion
from tests.audits.clock_cases import member
from tests.audits.views import worlds

REASON = "The association was dissolved, and nobody keeps its machines."


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def keeper():
    return client_of(member("Administrator"))


@pytest.fixture
def operator():
    return client_of(member("Model operator"))


def text_of(response, status=200):
    assert response.status_code == status
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize(
    ("path", "empty"),
    [
        ("/recipients/", "No recipient is registered."),
        ("/publications/", "No publication is registered."),
        ("/deployments/", "No deployment is registered."),
    ],
)
def test_a_register_without_entries_says_what_it_is_for_and_readers_change_nothing(
    reader, path, empty
):
    text = text_of(reader.get(path))
    assert empty in text
    assert "<form method" not in text.partition("<main")[2]
    new = path if path == "/deployments/" else f"{path}new/"
    assert reader.post(new, {}).status_code == 403


def test_L20_a_recipient_is_entered_changed_and_listed(keeper):
    version = worlds.version("faces")
    given = {
        "name": "Lab",
        "role": "PROCESSOR",
        "since": "2026-01-02",
        "active": "on",
        "versions": [str(version.pk)],
    }
    text = text_of(keeper.post("/recipients/new/", given), 400)
    assert '<a href="#id_contract_ref">Contract: Name the contract of a processor' in text
    nothing = {**given, "contract_ref": "DPA 7", "versions": []}
    assert "Choose what was received" in text_of(keeper.post("/recipients/new/", nothing), 400)
    assert not Recipient.objects.exists()
    keeper.post("/recipients/new/", {**given, "contract_ref": "DPA 7"})
    text = text_of(keeper.get("/recipients/"))
    assert "Lab" in text
    assert "faces v1" in text
    entry = Recipient.objects.get()
    keeper.post(f"/recipients/{entry.pk}/", {**given, "name": "Lab 2", "contract_ref": "DPA 7"})
    assert Recipient.objects.get().name == "Lab 2"


def test_L16_a_publication_is_entered_with_its_steps(keeper):
    given = {"where": "HUB", "address": "hub.example/faces", "since": "2026-01-02"}
    assert "Steps: Fill this in." in text_of(keeper.post("/publications/new/", given), 400)
    given["steps"] = "We write to the hub."
    text = text_of(keeper.post("/publications/new/", given), 400)
    assert "Choose what is public there" in text
    assert "We write to the hub." in text  # nothing typed is lost
    keeper.post("/publications/new/", {**given, "versions": [str(worlds.version("faces").pk)]})
    assert "We write to the hub." in text_of(keeper.get("/publications/"))
    assert Publication.objects.count() == 1


def test_Q14_staff_register_a_place_and_note_that_it_is_gone(operator):
    version = worlds.version("faces")
    given = {"version": str(version.pk), "place": "shop", "kind": "ENDPOINT"}
    assert "Write where it runs." in text_of(operator.post("/deployments/", {"kind": "HUB"}), 400)
    operator.post("/deployments/", given)
    ModelVersion.objects.update(state="WITHDRAWN")
    text = text_of(operator.get("/deployments/"))
    assert "Out of use and still deployed" in text
    gone = f"/deployments/{Deployment.objects.get().pk}/gone/"
    assert "Is faces v1 gone from shop?" in text_of(operator.get(gone))
    assert Deployment.objects.get().acknowledged_at is None
    operator.post(gone)
    assert Deployment.objects.get().acknowledged_at is not None
    assert "faces v1" in text_of(operator.get("/deployments/?show=all"))


@pytest.fixture
def case():
    """A case whose version runs at a shop, with a recipient that has no address."""
    case, run = worlds.planned()
    deployments.register(
        version=run.target, place="shop", kind="HUB", user=None, now=timezone.now()
    )
    ModelVersion.objects.filter(pk=run.target_id).update(state="WITHDRAWN")
    lab = Recipient.objects.create(name="Lab")
    now = timezone.now()
    Notice.objects.create(
        request=case,
        occasion="ERASED",
        recipient=lab,
        created_at=now,
        next_at=now,
        versions=["faces v1"],
    )
    return case


def test_the_page_of_a_case_names_ends_what_still_runs_and_who_was_told(reader, case):
    text = text_of(reader.get(f"/cases/{case.pk}/"))
    assert "What became of each model version" in text
    assert "Nothing yet" in text
    assert "still runs at <strong>shop</strong>" in text
    assert "No address is registered: tell them otherwise." in text
    assert "not-possible/" not in text


def test_L20_staff_record_an_impossibility_and_then_an_acknowledgement(case):
    officer = client_of(member())
    notice = Notice.objects.get()
    at = f"/cases/{case.pk}/told/{notice.pk}/"
    refused = text_of(officer.post(f"{at}not-possible/", {"reason": "no way"}), 400)
    assert "at least 20" in refused
    assert "no way</textarea>" in refused
    assert REASON in text_of(officer.post(f"{at}not-possible/", {"reason": REASON}, follow=True))
    officer.post(f"{at}done/")
    notice.refresh_from_db()
    assert notice.state == "ACKNOWLEDGED"
    text = text_of(officer.post(f"/cases/{case.pk}/told/who/", {"asked": "yes"}, follow=True))
    assert "The person asked who received the data" in text


def test_an_exception_is_proposed_on_one_page_and_approved_on_another(operator, case):
    version = case.runs.get().target
    day = timezone.localdate() + timedelta(days=90)
    at = f"/cases/{case.pk}/version-exceptions/"
    assert "Select a reason." in text_of(operator.post(at, {}), 400)
    given = {"version": str(version.pk), "code": "ART_17_3_E", "reason": REASON, "until": day}
    assert "is proposed to stay" in text_of(operator.post(at, given, follow=True))
    found = VersionException.objects.get()
    reviewer = client_of(member("Reviewer"))
    text = text_of(reviewer.post(f"{at}{found.pk}/approve/", follow=True))
    assert "Stays by exception" in text
    found.refresh_from_db()
    assert found.approved_at is not None
    assert reviewer.get(at).status_code == 403


def test_M5_a_version_is_destroyed_from_its_page_once_its_name_is_typed(operator, reader):
    version = worlds.version("faces")
    at = f"/versions/{version.pk}/destroy/"
    assert at in text_of(operator.get(f"/models/{version.pk}/"))
    assert at not in text_of(reader.get(f"/models/{version.pk}/"))
    assert reader.post(at, {}).status_code == 403
    given = {"ground": "AUTHORITY_ORDER", "name": "faces"}
    assert "another name" in text_of(operator.post(at, given), 400)
    operator.post(at, {**given, "name": "faces v1"})
    version.refresh_from_db()
    assert version.state == "DESTROYED"


def test_M1_a_claim_of_anonymity_is_made_attack_by_attack(operator):
    version = worlds.version("faces")
    at = f"/versions/{version.pk}/anonymity/"
    assert "Not claimed" in text_of(operator.get(f"/models/{version.pk}/"))
    assert "Neither evidence nor a written reason" in text_of(operator.post(at, {}), 400)
    operator.post(at, {f"reason_{place}": REASON for place, _ in enumerate(families())})
    assert AnonymityClaim.objects.filter(version=version).exists()
    assert "It is claimed now." in text_of(operator.get(at))
    operator.post(at, {"drop": "1"})
    assert not AnonymityClaim.objects.exists()
