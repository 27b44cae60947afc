from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audits import workflow
from audits.models import ErasureRequest
from lineage.models import Job
from lineage.services import jobs
from tests.audits.views import worlds

STAFF_ONLY = ["", "progress/", "report.json", "report.pdf", "report.manifest.json", "bundle.zip"]
DECISIONS = ["accept/", "refuse/"]
POSTS = ["accept/", "refuse/", "retry/", "export/"]


def text_of(response):
    return response.content.decode()


def at(case, ending=""):
    return f"/cases/{case.pk}/{ending}"


def job(run, **change: object):
    made = jobs.create_job(
        key=f"job:{Job.objects.count()}",
        kind="AUDIT",
        queue="heavy",
        payload_id=run.pk,
        now=timezone.now(),
    )
    Job.objects.filter(pk=made.pk).update(**change)
    return made


@pytest.mark.parametrize("ending", [*STAFF_ONLY, *DECISIONS])
def test_strangers_are_sent_to_sign_in(client, ending):
    path = at(worlds.verified(), ending)
    assert client.get(path).headers["Location"].startswith("/accounts/login/?next=/cases/")


@pytest.mark.parametrize("ending", [*STAFF_ONLY, *DECISIONS])
def test_an_account_that_is_not_staff_sees_no_case(outsider, ending):
    response = outsider.get(at(worlds.verified(), ending))
    assert response.status_code == 403
    assert "signed in as outsider" in text_of(response)
    assert worlds.EMAIL not in text_of(response)


def test_the_list_is_for_staff(client, outsider, reader):
    assert client.get("/cases/").status_code == 302
    assert outsider.get("/cases/").status_code == 403
    assert reader.get("/cases/").status_code == 200


def test_the_person_is_named_by_their_pseudonym_only(reader):
    case, _ = worlds.restricted()
    page = text_of(reader.get(at(case)))
    assert str(case.subject.pseudonym) in page


@pytest.mark.parametrize("ending", DECISIONS)
def test_staff_who_may_only_read_cannot_decide(reader, ending):
    case = worlds.verified()
    assert reader.get(at(case, ending)).status_code == 403
    assert reader.post(at(case, ending), {"ground": "ART_17_1_B"}).status_code == 403
    page = text_of(reader.get(at(case)))
    assert at(case, ending) not in page
    assert "takes the role Case officer" in page


@pytest.mark.parametrize("ending", POSTS)
def test_a_forged_decision_is_refused(decider, ending):
    case = worlds.verified()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = decider.cookies
    assert strict.post(at(case, ending), {"ground": "ART_17_1_B"}).status_code == 403


@pytest.mark.parametrize("ending", ["retry/", "export/"])
def test_what_changes_something_is_never_a_link(decider, ending):
    assert decider.get(at(worlds.verified(), ending)).status_code == 405


def test_staff_pages_are_strict_and_never_cached(reader):
    case = worlds.verified()
    for path in ("/cases/", at(case), "/models/"):
        response = reader.get(path)
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert "no-store" in response.headers["Cache-Control"]
        assert " style=" not in text_of(response)


def test_the_list_shows_open_cases_the_most_urgent_first(reader):
    late = worlds.received("late@example.org", days=40).request
    ErasureRequest.objects.update(status_digest="x")
    soon = worlds.received("soon@example.org", days=29).request
    page = text_of(reader.get("/cases/"))
    assert page.index(late.reference) < page.index(soon.reference)
    assert "Overdue by" in page
    assert "1 overdue" in page
    assert "Open (2)" in page
    assert "@example.org" not in page


def test_closed_cases_have_their_own_list(reader):
    case = worlds.no_data_found()
    assert case.reference not in text_of(reader.get("/cases/"))
    page = text_of(reader.get("/cases/?show=closed"))
    assert case.reference in page
    assert "Closed: no data found" in page


@pytest.mark.parametrize("query", ["", "?show=closed", "?page=99", "?page=x&show=y"])
def test_an_empty_list_says_where_cases_come_from(reader, query):
    assert 'class="empty"' in text_of(reader.get(f"/cases/{query}"))


def test_the_address_is_shown_while_the_case_is_open_and_only_there(reader):
    open_case = worlds.verified()
    assert worlds.EMAIL in text_of(reader.get(at(open_case)))
    ErasureRequest.objects.update(status="SEALED", outcome="ERASED")
    assert worlds.EMAIL not in text_of(reader.get(at(open_case)))


def test_a_failure_is_shown_with_its_sentence_and_can_be_retried(decider, reader):
    case = worlds.failed()
    page = text_of(decider.get(at(case)))
    assert "The store is full. Free some space, then retry." in page
    assert "STORE_FULL" in page
    assert at(case, "retry/") in page
    assert at(case, "retry/") not in text_of(reader.get(at(case)))
    decider.post(at(case, "retry/"))
    case.refresh_from_db()
    assert case.status == "RESTRICTED"


def test_duplicates_are_decided_on_the_case_page(decider):
    case, finding = worlds.with_duplicate()
    page = text_of(decider.get(at(case)))
    assert "1 duplicate to decide" in page
    assert "Nobody on record" in page
    decider.post(at(case, f"duplicates/{finding.pk}/"), {"decision": "KEEP"})
    finding.refresh_from_db()
    assert (finding.decision, finding.decided_by.username) == ("KEEP", "decider")


def test_a_decision_that_is_none_is_said(decider):
    case, finding = worlds.with_duplicate()
    path = at(case, f"duplicates/{finding.pk}/")
    response = decider.post(path, {"decision": "MAYBE"}, follow=True)
    assert "allowed are KEEP and ERASE" in text_of(response)


def test_a_finding_of_another_case_is_not_found(decider):
    _, finding = worlds.with_duplicate()
    ErasureRequest.objects.update(status_digest="x")
    other = worlds.received("other@example.org").request
    assert decider.post(at(other, f"duplicates/{finding.pk}/")).status_code == 404


def test_a_version_is_destroyed_only_under_its_own_name(decider):
    case, run = worlds.planned(waiting=True)
    assert "cannot be trained again" in text_of(decider.get(at(case)))
    path = at(case, f"runs/{run.pk}/destroy/")
    assert "faces v1" in text_of(decider.get(path))
    response = decider.post(path, {"name": "faces v2"})
    assert response.status_code == 400
    assert 'value="faces v2"' in text_of(response)
    run.refresh_from_db()
    assert run.status == "WAITING"
    decider.post(path, {"name": "faces v1"})
    run.refresh_from_db()
    assert (run.status, run.method) == ("QUEUED", "destroy")


def test_without_a_replacement_the_page_says_how_to_make_one(decider):
    case, run = worlds.planned(waiting=True)
    page = text_of(decider.get(at(case, f"runs/{run.pk}/outside/")))
    assert "No version can take its place yet." in page


def test_a_replacement_made_outside_is_chosen(decider, monkeypatch):
    case, run = worlds.planned(waiting=True)
    replacement = worlds.version("faces", 2, day=2)
    called = []
    monkeypatch.setattr(workflow, "use_outside_version", lambda **call: called.append(call))
    path = at(case, f"runs/{run.pk}/outside/")
    assert "faces v2" in text_of(decider.get(path))
    assert decider.post(path, {"version": str(case.pk)}).status_code == 400
    decider.post(path, {"version": str(replacement.pk)})
    assert [(call["run_id"], call["version_id"]) for call in called] == [(run.pk, replacement.pk)]


def test_a_decided_run_cannot_be_decided_again(decider):
    case, run = worlds.planned()
    assert decider.get(at(case, f"runs/{run.pk}/destroy/")).status_code == 404


def test_work_is_shown_as_progress_and_announced_once(reader):
    case, run = worlds.planned()
    job(run, status="RUNNING", holder=run.pk, phase="training", done=3, total=16)
    page = text_of(reader.get(at(case)))
    assert 'max="16" value="3"' in page
    assert "3 of 16" in page
    assert 'role="status"' in page
    assert 'data-every="2"' in page
    assert "Load the page again" in page
    assert "http-equiv" not in page  # it would lose what somebody types


def test_the_fragment_holds_the_parts_that_change_and_no_address(reader):
    case, run = worlds.planned()
    job(run, status="RUNNING", holder=run.pk, phase="training", done=3, total=16)
    response = reader.get(at(case, "progress/"))
    page = text_of(response)
    assert [name for name in ("work", "steps", "runs") if f'data-part="{name}"' in page] == [
        "work",
        "steps",
        "runs",
    ]
    assert 'data-state="working"' in page
    assert worlds.EMAIL not in page
    etag = response.headers["ETag"]
    again = reader.get(at(case, "progress/"), headers={"If-None-Match": etag})
    assert again.status_code == 304


def test_work_that_no_worker_takes_is_said(reader):
    case, run = worlds.planned()
    job(run, created_at=timezone.now() - timedelta(minutes=2))
    assert "No worker has taken this work" in text_of(reader.get(at(case)))


def test_work_that_pauses_as_its_store_is_away_is_not_said_to_lack_a_worker(reader):
    case, run = worlds.planned()
    now = timezone.now()
    tried = job(run, created_at=now - timedelta(hours=1), started_at=now - timedelta(minutes=2))
    Job.objects.filter(pk=tried.pk).update(attempt=7, max_attempts=10)
    assert "No worker has taken this work" not in text_of(reader.get(at(case)))


def test_a_case_that_waits_for_a_decision_is_not_watched(reader):
    case, _ = worlds.with_duplicate()
    assert "data-poll" not in text_of(reader.get(at(case)))


def test_the_runs_are_listed_with_verdict_and_evidence(reader):
    case, run = worlds.judged(worlds.u_lira(), worlds.population())
    page = text_of(reader.get(at(case)))
    assert "Passed, no leak" in page
    assert "U-LiRA, 16 per arm" in page
    assert "Population MIA" in page
    assert "photos@0" in page
    assert f"/models/{run.target_id}/" in page


def test_the_log_of_a_case_is_listed(reader):
    case, _ = worlds.restricted()
    page = text_of(reader.get(at(case)))
    assert "<code>request_accepted</code>" in page
    assert "by staff" in page
    assert "by the person" in page


def test_a_sealed_record_can_be_downloaded_and_its_report_written_again(decider, monkeypatch):
    case = worlds.erased()
    called = []
    monkeypatch.setattr(workflow, "export", lambda **call: called.append(call))
    assert decider.get(at(case, "report.json")).content == bytes(case.record.data)
    assert "Export report" in text_of(decider.get(at(case)))
    decider.post(at(case, "export/"))
    assert [(one["case_id"], one["user"].username) for one in called] == [(case.pk, "decider")]


def test_a_report_is_not_written_before_the_seal(decider, monkeypatch):
    case = worlds.verified()
    called = []
    monkeypatch.setattr(workflow, "export", lambda **call: called.append(call))
    response = decider.post(at(case, "export/"), follow=True)
    assert "once the case is sealed" in text_of(response)
    assert called == []


def test_a_missing_report_is_a_clear_page(reader):
    case = worlds.erased()
    response = reader.get(at(case, "report.pdf"))
    assert response.status_code == 404
    assert "has not been written yet" in text_of(response)


def test_a_case_that_does_not_exist_is_not_found(reader):
    assert reader.get("/cases/00000000-0000-4000-8000-000000000000/").status_code == 404
