"""The pages of the operator's own cases."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pyroaring import BitMap

from audits.models import ErasureRequest, OperatorCase
from audits.queries.operator_cases import chosen_of, digest_of
from audits.services import case_scores, operator_cases
from audits.services.operator_cases import NewCase
from audits.services.rights import give_role
from lineage.models import Dataset, OrdinalSpace
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from tests.audits.views import worlds
from tests.audits.world import member


def text_of(response):
    return response.content.decode()


def at(case, ending=""):
    return f"/cases/{case.pk}/forget-set/{ending}"


@pytest.fixture
def dataset():
    return Dataset.objects.create(name="photos", space=worlds.person())


@pytest.fixture
def second() -> Client:
    """Another member of staff, who approves."""
    client = Client()
    client.force_login(member("second", "Case officer", "Reviewer"))
    return client


def filled(known, **change: object):
    return {
        "reason": "EXPIRED_CONSENT",
        "dataset": known.pk,
        "records": "0, 1",
        "disposal": "KEEP",
        **change,
    }


def start(client, dataset, **change: object):
    response = client.post("/cases/new/", filled(dataset, **change))
    assert response.status_code == 302, text_of(response)
    return OperatorCase.objects.latest("request__received_at")


def test_staff_start_a_case_with_a_list_a_file_or_people(decider, dataset):
    assert chosen_of(start(decider, dataset)) == BitMap([0, 1])
    file = SimpleUploadedFile("records.txt", b"1\n3-4,\n\n6\n")
    assert chosen_of(start(decider, dataset, records="", file=file)) == BitMap([1, 3, 4, 6])
    people = start(decider, dataset, records="", people=f"{worlds.EMAIL}\n")
    assert chosen_of(people) == worlds.FORGET


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"reason": ""}, "Select a reason."),
        ({"dataset": ""}, "Choose a version, or the data set that the records are in."),
        ({"records": ""}, "Name at least one record, a file of them, or a person."),
        ({"records": "one"}, "The ordinals contain &#x27;one&#x27;"),
        ({"records": "77"}, "The highest ordinal is 77; the space photos has handed out 10"),
        ({"people": "nobody@example.org"}, "Line 1 names &#x27;nobody@example.org&#x27;, of whom"),
        ({"disposal": "DELETE"}, "Type DELETE, or choose to keep the records apart."),
        ({"disposal": "DELETE", "confirm": "delete"}, "Type DELETE, or choose to keep"),
    ],
    ids=["reason", "where", "records", "unread", "unknown", "nobody", "delete", "delete-small"],
)
def test_what_is_wrong_in_the_form_is_said(decider, dataset, change, sentence):
    response = decider.post("/cases/new/", filled(dataset, **change))
    assert response.status_code == 400
    assert sentence in text_of(response)
    assert not ErasureRequest.objects.exists()


def test_two_members_of_staff_are_needed(decider, second, dataset):
    case = start(decider, dataset)
    proposed = {"shown": ["0", "1"], "keep": ["1"], "also": "5-6", "action": "propose"}
    page = text_of(decider.post(at(case), proposed, follow=True))
    assert "whoever proposes a forget set cannot approve it" in page
    assert "Approve and start" not in page
    case.refresh_from_db()
    assert chosen_of(case) == BitMap([1, 5, 6])
    seen = {"digest": digest_of(case)}
    assert decider.post(at(case, "approve/"), seen).status_code == 403
    give_role(user=User.objects.get(username="decider"), role="Reviewer")
    assert "cannot approve it" in text_of(decider.post(at(case, "approve/"), seen, follow=True))
    assert ErasureRequest.objects.get().status == "PROPOSED"
    page = text_of(second.get(at(case)))
    assert "Approve and start" in page
    assert "<dt>Proposed by</dt><dd>decider</dd>" in page
    second.post(at(case, "approve/"), seen)
    assert ErasureRequest.objects.get().status == "APPROVED"


def test_a_deletion_is_approved_by_typing_the_reference(decider, second, dataset):
    case = start(decider, dataset, disposal="DELETE", confirm="DELETE")
    decider.post(at(case), {"action": "propose"})
    seen = {"digest": digest_of(case), "confirm": "yes"}
    page = text_of(second.post(at(case, "approve/"), seen, follow=True))
    assert f"Type {case.request.reference} to confirm" in page
    assert ErasureRequest.objects.get().status == "PROPOSED"
    second.post(at(case, "approve/"), {**seen, "confirm": case.request.reference})
    assert ErasureRequest.objects.get().status == "APPROVED"


def test_a_set_can_be_sent_back_and_a_case_dropped(decider, second, dataset):
    case = start(decider, dataset)
    decider.post(at(case), {"action": "propose"})
    second.post(at(case, "return/"))
    assert ErasureRequest.objects.get().status == "DRAFT"
    decider.post(at(case, "drop/"))
    assert ErasureRequest.objects.get().outcome == "WITHDRAWN"


def test_dropping_a_case_is_asked_about_first(decider, dataset):
    case = start(decider, dataset)
    assert "Drop the case…" in text_of(decider.get(at(case)))
    page = text_of(decider.get(at(case, "drop/")))
    assert f"Drop {case.request.reference}?" in page
    assert "All 2 records stay in use" in page
    assert ErasureRequest.objects.get().status == "DRAFT"


def test_a_choice_leaves_one_on_the_page_it_was_made_on(decider, dataset, monkeypatch):
    monkeypatch.setattr("audits.views.operator_cases.PER_PAGE", 2)
    case = start(decider, dataset, records="0-5")
    sent = {"shown": ["2", "3"], "keep": ["2"], "action": "save"}
    response = decider.post(at(case) + "?page=2", sent, follow=True)
    assert response.redirect_chain == [(at(case) + "?page=2", 302)]
    case.refresh_from_db()
    assert chosen_of(case) == BitMap([0, 1, 2, 4, 5])
    assert decider.post(at(case), {"action": "save"}).headers["Location"] == at(case)


def test_no_deadline_stands_on_the_pages(decider, dataset):
    case = start(decider, dataset)
    for path in ("/cases/", f"/cases/{case.pk}/", at(case)):
        page = text_of(decider.get(path))
        assert "No statutory deadline" in page
        assert "Art. 12" not in page


def test_scores_are_shown_most_suspicious_first(decider, dataset):
    new = NewCase(
        reason="POISONED",
        disposal="KEEP",
        space=dataset.space,
        version=worlds.version("faces"),
        seeds=BitMap([2]),
    )
    user = User.objects.get(username="decider")
    case = operator_cases.open_case(new=new, user=user, now=timezone.now())
    page = text_of(decider.get(at(case)))  # still being scored, though no job is queued yet
    assert "Propose this set" not in page
    assert "data-poll" in page
    case_scores.keep_scores(
        case_id=case.pk,
        records=[(2, 0.5, 1), (7, 0.9, 1), (4, 0.1, 0)],
        finding={"chance": 0.001, "records": 9},
        note="",
        now=timezone.now(),
    )
    page = text_of(decider.get(at(case)))
    assert "data-poll" not in page
    assert page.index("Record 7 leaves") < page.index("Record 2 leaves")
    assert 'value="7" checked' in page
    assert 'value="4" checked' not in page
    assert "0.900" in page
    assert "p = 0.001" in page
    decider.post(at(case), {"action": "propose"})
    page = text_of(decider.get(at(case)))
    assert '<th scope="row">7' in page
    assert '<th scope="row">4' not in page


def test_readers_look_and_do_not_choose(decider, reader, outsider, client, dataset):
    case = start(decider, dataset)
    assert "Propose this set" not in text_of(reader.get(at(case)))
    for ending in ("", "approve/", "return/", "drop/"):
        assert reader.post(at(case, ending)).status_code == 403
        assert outsider.post(at(case, ending)).status_code == 403
        assert client.post(at(case, ending)).status_code == 302
    assert reader.get("/cases/new/").status_code == 403


def test_a_person_s_case_has_no_forget_set_page(decider):
    assert decider.get(at(worlds.verified())).status_code == 404


def test_a_version_and_a_data_set_of_other_records_are_refused(decider, dataset):
    other = Dataset.objects.create(name="scans", space=OrdinalSpace.objects.create(name="scans"))
    snapshot = take_snapshot(dataset=dataset, ordinals=BitMap([0, 1]), now=timezone.now())
    plan = RunPlan(activity="TRAIN", inputs=(Input(source=snapshot),))
    run = begin_run(plan=plan, now=timezone.now())
    trained = finish_run(
        run=run, result=RunResult(model_name="late", weights=b"late"), now=timezone.now()
    )
    response = decider.post("/cases/new/", filled(other, version=str(trained.pk)))
    assert "the same numbers are other records there" in text_of(response)
    assert not ErasureRequest.objects.exists()
    start(decider, dataset, version=str(trained.pk))
