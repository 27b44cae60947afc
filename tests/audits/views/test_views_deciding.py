"""The pages on which decisions are proposed, approved and sent back, and holds are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audits.models import Decision, ErasureRequest, LegalHold, LocationException
from lineage.models import Dataset, OrdinalSpace
from tests.audits.views import worlds
from tests.audits.world import logged, member

ROWS = {
    "ground-TOTAL_FORMS": "3",
    "ground-INITIAL_FORMS": "0",
    "exception-TOTAL_FORMS": "2",
    "exception-INITIAL_FORMS": "0",
}
GROUND = {
    "ground-0-code": "ART_17_1_B",
    "ground-0-purpose": "Newsletter",
    "ground-0-assessment": "Consent was withdrawn.",
    "ground-0-other_ground": "There is none.",
}


@pytest.fixture
def case():
    worlds.person()
    return worlds.verified()


@pytest.fixture
def keeper() -> Client:
    client = Client()
    client.force_login(member("keeper", "Administrator"))
    return client


def at(case, ending=""):
    return f"/cases/{case.pk}/{ending}"


def text_of(response) -> str:
    return str(response.content.decode())


def tomorrow() -> str:
    return (timezone.now().date() + timedelta(days=2)).isoformat()


def test_accepting_asks_for_grounds_and_says_what_follows(decider, case):
    page = text_of(decider.get(at(case, "accept/")))
    assert "cannot be undone" in page
    assert "until a second member of staff approves it" in page
    for sent in ({}, ROWS):
        response = decider.post(at(case, "accept/"), sent)
        assert response.status_code == 400
        assert "<title>Error: " in text_of(response)
        assert "Select a ground." in text_of(response)
    assert not Decision.objects.exists()


def test_a_proposal_is_approved_by_somebody_else_after_another_look(decider, approver, case):
    response = decider.post(at(case, "accept/"), {**ROWS, **GROUND}, follow=True)
    assert "your decision is proposed" in text_of(response)
    assert "you cannot approve it" in text_of(response)
    decision = Decision.objects.get()
    approve = at(case, f"decisions/{decision.pk}/approve/")
    assert approve in text_of(approver.get(at(case)))
    assert decider.get(approve).status_code == 403
    page = text_of(approver.get(approve))
    assert "Newsletter" in page
    assert "There is none." in page
    case.refresh_from_db()
    assert case.status == "VERIFIED"
    assert "was accepted" in text_of(approver.post(approve, follow=True))
    case.refresh_from_db()
    assert (case.status, case.accepted_by.username) == ("ACCEPTED", "reviewer")


@pytest.mark.parametrize("missing", ["purpose", "assessment", "other_ground"])
def test_a_ground_that_is_not_complete_is_said_beside_it(decider, case, missing):
    sent = {**ROWS, **GROUND, f"ground-0-{missing}": ""}
    response = decider.post(at(case, "accept/"), sent)
    assert response.status_code == 400
    assert 'href="#id_ground-0-code"' in text_of(response)
    assert "ART_17_1_B" in text_of(response)


def test_an_exception_is_written_with_its_last_day(decider, approver, case):
    sent = {
        **ROWS,
        **GROUND,
        "exception-0-code": "ART_17_3_B",
        "exception-0-place": "Paper files",
        "exception-0-basis": "Ten years by the tax code.",
        "exception-0-scope": "Invoices.",
    }
    assert "needs its last day" in text_of(decider.post(at(case, "accept/"), sent))
    decider.post(at(case, "accept/"), {**sent, "exception-0-until": tomorrow()})
    found = LocationException.objects.get()
    assert (found.where, found.until.isoformat()) == ("Paper files", tomorrow())
    assert "Paper files" in text_of(approver.get(at(case)))


def test_one_ground_is_asked_for_and_more_are_opened_by_hand(decider, case):
    shown = text_of(decider.get(at(case, "accept/")))
    assert shown.index("id_ground-0-code") < shown.index("<summary>Another ground</summary>")
    assert shown.count('class="another">') == 4  # two more grounds, two exceptions
    assert "---------" not in shown
    sent = {**ROWS, **GROUND, "ground-2-purpose": "Invoices"}
    again = text_of(decider.post(at(case, "accept/"), sent))
    assert again.count('class="another" open>') == 1
    assert "Ground 3. Select a ground for what you wrote" in again


def test_a_data_set_is_offered_where_the_person_has_records(decider, case):
    space = OrdinalSpace.objects.get(name="photos")
    Dataset.objects.create(name="holiday pictures", space=space)
    other = OrdinalSpace.objects.create(name="elsewhere")
    Dataset.objects.create(name="somebody else's", space=other)
    page = text_of(decider.get(at(case, "accept/")))
    assert "holiday pictures" in page
    assert "somebody else" not in page


def test_a_note_comes_back_with_what_is_sent_back(decider, approver, case):
    decider.post(at(case, "accept/"), {**ROWS, **GROUND})
    back = at(case, f"decisions/{Decision.objects.get().pk}/return/")
    assert approver.post(back, {}).status_code == 400
    approver.post(back, {"note": "Which newsletter?"})
    page = text_of(decider.get(at(case)))
    assert "Which newsletter?" in page
    assert at(case, "accept/") in page


def test_accepting_twice_is_said(decider):
    case, _ = worlds.restricted()
    response = decider.post(at(case, "accept/"), {**ROWS, **GROUND}, follow=True)
    assert "can become ACCEPTED only from VERIFIED" in text_of(response)


def test_refusing_needs_a_coded_reason_and_an_assessment(decider, approver, case):
    for sent in ({"code": "MOOD", "assessment": "No."}, {"code": "ART_17_3_E"}):
        assert decider.post(at(case, "refuse/"), sent).status_code == 400
    decider.post(at(case, "refuse/"), {"code": "ART_17_3_E", "assessment": "Claim 7."})
    approver.post(at(case, f"decisions/{Decision.objects.get().pk}/approve/"))
    case.refresh_from_db()
    assert (case.status, case.refusal_code) == ("REFUSED", "ART_17_3_E")


def test_L12_refusing_as_unfounded_shows_earlier_requests_and_asks_for_evidence(decider, case):
    case.status, case.outcome = "SEALED", "ERASED"
    case.status_digest = "another"
    case.save()
    again = worlds.verified()
    assert case.reference in text_of(decider.get(at(again, "refuse/")))
    sent = {"code": "ART_12_5_B", "assessment": "Excessive.", "evidence": "Short."}
    response = decider.post(at(again, "refuse/"), sent)
    assert response.status_code == 400
    assert "it needs 40 or more" in text_of(response)


def test_one_person_is_told_what_they_did_at_once(decider, case, settings):
    settings.EXPUNGE_SECOND_PERSON = "NEVER"
    response = decider.post(at(case, "accept/"), {**ROWS, **GROUND}, follow=True)
    assert "was accepted. The erasure has started." in text_of(response)


def test_L22_the_page_offers_nobody_their_own_request(decider, case):
    from django.contrib.auth.models import User

    User.objects.filter(username="decider").update(email=worlds.EMAIL)
    page = text_of(decider.get(at(case)))
    assert "It is your own request" in page
    response = decider.post(at(case, "accept/"), {**ROWS, **GROUND}, follow=True)
    assert "Somebody else decides about it" in text_of(response)
    assert logged(case, "action_refused") == [
        {"action": "PROPOSE_ACCEPT", "reason": "OWN_REQUEST"}
    ]


@pytest.mark.parametrize("ending", ["accept/", "refuse/"])
def test_who_only_reads_decides_nothing(reader, approver, case, ending):
    for client in (reader, approver):
        assert client.get(at(case, ending)).status_code == 403


def test_L18_the_register_lists_places_and_releases(keeper, reader, decider, case):
    assert "No hold stands." in text_of(reader.get("/holds/"))
    assert reader.get("/holds/new/").status_code == 403
    sent = {"kind": "EMAIL", "identifier": worlds.EMAIL, "basis": "Claim 7 O 12/26."}
    assert keeper.post("/holds/new/", sent).status_code == 400
    response = keeper.post("/holds/new/", {**sent, "review_on": tomorrow()}, follow=True)
    assert "Claim 7 O 12/26." in text_of(response)
    assert worlds.EMAIL not in text_of(response)
    assert "Nobody is known" not in text_of(response)
    assert "Legal hold" in text_of(decider.get(at(case)))
    release = f"/holds/{LegalHold.objects.get().pk}/release/"
    assert "Deletion cannot be undone" in text_of(keeper.get(release))
    assert "go on" in text_of(keeper.post(release, follow=True))
    assert "was released before" in text_of(keeper.post(release, follow=True))
    assert LegalHold.objects.get().released_by == member("keeper", "Administrator")


def test_L18_a_hold_on_an_address_that_nobody_has_is_said(keeper, case):
    sent = {"kind": "EMAIL", "identifier": "adda@example.org", "basis": "Claim 7 O 12/26."}
    response = keeper.post("/holds/new/", {**sent, "review_on": tomorrow()}, follow=True)
    assert "Nobody is known under this address" in text_of(response)


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": "EMAIL", "identifier": "nobody"},
        {"kind": "DATASET"},
        {"kind": "EMAIL", "identifier": "a@b.example", "review_on": "2020-01-01"},
    ],
)
def test_a_hold_that_is_not_complete_is_not_placed(keeper, sent):
    whole = {"basis": "Claim.", "review_on": tomorrow(), **sent}
    assert keeper.post("/holds/new/", whole).status_code == 400
    assert not LegalHold.objects.exists()


def test_L17_an_ended_exception_is_a_task_on_the_list_with_a_button(decider, approver, reader):
    space = worlds.person()
    dataset = Dataset.objects.create(name="holiday pictures", space=space)
    case = worlds.verified()
    ErasureRequest.objects.update(ground="ART_17_1_B")
    decision = Decision.objects.create(
        request=case, kind="ACCEPT", state="APPROVED", proposed_at=timezone.now()
    )
    day = timezone.now() - timedelta(days=3)
    one = LocationException.objects.create(
        decision=decision, dataset=dataset, code="ART_17_3_B", until=day.date(), ended_at=day
    )
    erase = at(case, f"exceptions/{one.pk}/erase/")
    page = text_of(reader.get("/cases/"))
    assert "Exceptions that ended" in page
    assert erase in page
    assert approver.get(erase).status_code == 403
    assert "Deletion cannot be undone" in text_of(decider.get(erase))
    assert "was opened" in text_of(decider.post(erase, follow=True))
    follow_up = ErasureRequest.objects.get(linked_to=case)
    assert (follow_up.status, follow_up.channel) == ("ACCEPTED", "EXCEPTION_ENDED")
    assert "Exceptions that ended" not in text_of(reader.get("/cases/"))
    assert "An exception of it has ended" in text_of(reader.get(at(follow_up)))


def test_L17_a_place_whose_exception_ended_is_noted_as_erased(decider, approver, reader):
    worlds.person()
    case = worlds.verified()
    decision = Decision.objects.create(
        request=case, kind="ACCEPT", state="APPROVED", proposed_at=timezone.now()
    )
    day = timezone.now() - timedelta(days=3)
    one = LocationException.objects.create(
        decision=decision, place="Tax files", code="ART_17_3_B", until=day.date(), ended_at=day
    )
    erase = at(case, f"exceptions/{one.pk}/erase/")
    assert "must be erased from by whoever keeps it" in text_of(reader.get("/cases/"))
    assert "Note as erased" in text_of(decider.get(at(case)))
    assert approver.post(erase).status_code == 403
    assert "Note that it was erased" in text_of(decider.get(erase))
    assert "Tax files was erased from" in text_of(decider.post(erase, follow=True))
    assert "Exceptions that ended" not in text_of(reader.get("/cases/"))
