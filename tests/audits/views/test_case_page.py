"""The page of a case: all of it in one place, in few queries whatever it holds."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from audits.core import said
from audits.execution import shadows
from audits.models import CasePictures, JobLine
from audits.queries.case_jobs import remaining
from audits.services import cancelling, case_pictures, closing, job_lines, letters, retention
from audits.services.job_lines import KEPT, kept_lines
from audits.services.transitions import MoveNotAllowed
from lineage.models import Deployment, Job, ModelVersion
from lineage.services import jobs
from tests.audits.views import full_case, worlds
from tests.audits.views.test_views_cases import at, job, text_of
from tests.audits.world import logged, member

ROOT = Path(__file__).parents[3]
QUERIES, BYTES = 25, 300_000
PRINTED = 33  # the page and its three parts, each of which keeps the budget by itself
SECTIONS = ("now", "facts", "timeline", "runs", "plan", "decision", "places", "told", "letters")
SVG = "<svg><desc>a picture</desc></svg>"


@pytest.fixture
def asked(decider, django_assert_max_num_queries):
    """Get the page of a case within its budgets; return its text and how many queries it took."""

    def get(case):
        decider.get(at(case))  # what is loaded once for all pages is not counted
        with django_assert_max_num_queries(QUERIES) as counted:
            page = text_of(decider.get(at(case)))
        assert len(page.encode()) <= BYTES
        return page, len(counted.captured_queries)

    return get


def running(case, **change: object):
    made = job(case.runs.first(), status="RUNNING", holder=case.pk, **change)
    made.refresh_from_db()
    return made


def test_a_case_with_everything_takes_few_queries_at_work_and_sealed(asked):
    case = full_case.full_case(4)
    running(case, phase="training", done=3, total=16, started_at=timezone.now())
    asked(case)
    Job.objects.update(status="FAILED", holder=None)
    type(case).objects.filter(pk=case.pk).update(status="FAILED", failed_from="UNLEARNING")
    asked(case)
    type(case).objects.filter(pk=case.pk).update(status="UNLEARNING", failed_from="")
    full_case.sealed(case)
    case_pictures.keep_pictures(case_id=case.pk, drawn={"timeline": SVG}, now=timezone.now())
    page, _ = asked(case)
    for name in (*SECTIONS, "report", "verification", "log"):
        assert f'id="{name}"' in page
        assert name == "verification" or f'href="#{name}"' in page


def test_the_number_of_queries_does_not_grow_with_what_a_case_holds(asked):
    small, large = (asked(full_case.full_case(size, name=f"{size}"))[1] for size in (1, 4))
    assert large <= small + 1


def test_holds_on_others_do_not_add_queries_one_by_one(asked):
    case = worlds.verified()
    before = asked(case)[1]
    for number in range(5):
        full_case.hold_on(f"other{number}@example.org")
    assert asked(case)[1] <= before + 3


def test_every_section_of_an_empty_case_says_what_comes_there(asked):
    page, _ = asked(worlds.received().request)
    for sentence in (
        "Nothing was unlearned yet.",
        "No plan was drawn yet.",
        "Nothing was decided yet.",
        "No registered place was asked.",
        "Nobody was told so far.",
        "No letter was written yet.",
        "Nothing is sealed yet.",
    ):
        assert sentence in page


def test_a_run_shows_its_verdict_the_plain_sentence_and_its_figures(asked):
    case, run = worlds.judged(full_case.spoken(), worlds.population())
    page, _ = asked(case)
    found = run.evidence.get(kind="U_LIRA")
    assert "Passed, no leak" in page
    assert full_case.SENTENCE in page
    assert f'<img src="{at(case, f"evidence/{found.pk}/plot.svg")}"' in page
    assert 'loading="lazy"' in page


def test_the_timeline_has_steps_runs_and_the_due_date_in_order(asked):
    case, _ = worlds.judged(worlds.u_lira())
    page, _ = asked(case)
    steps = page[page.index('id="timeline"') : page.index('id="clock"')]
    places = [
        steps.index(one) for one in ("Receipt", "Decision", "faces v1:", "Answer due", "Seal")
    ]
    assert places == sorted(places)
    assert "The answer is due" in page


def test_an_affected_version_has_its_way_and_a_link_to_its_graph(asked):
    case, run = worlds.planned()
    page, _ = asked(case)
    assert f"/models/graph/?version={run.target_id}" in page
    assert page.index("photos@0") < page.index("<strong>faces v1</strong>")


@pytest.mark.parametrize(
    ("name", "words"), [("versions", "weather v1"), ("ahead", "told"), ("earlier", "request")]
)
def test_a_part_is_fetched_or_opened_in_the_page(decider, name, words):
    case, _ = worlds.planned()
    assert words in text_of(decider.get(at(case, f"parts/{name}/")))
    opened = text_of(decider.get(f"{at(case)}?open={name}"))
    assert name == "earlier" or f'id="part-{name}" data-fetch' in opened
    if name == "versions":
        assert "weather v1" in opened
        assert "weather v1" not in text_of(decider.get(at(case)))


def test_what_is_fetched_when_it_is_opened_is_there_for_the_printer(
    decider, django_assert_max_num_queries
):
    case, _ = worlds.planned()
    shown = text_of(decider.get(at(case)))
    assert 'href="?print=1"' in shown
    assert "weather v1" not in shown
    with django_assert_max_num_queries(PRINTED):
        printed = text_of(decider.get(f"{at(case)}?print=1"))
    assert "weather v1" in printed
    assert "Nobody else is to be told." in printed
    parts = re.findall(r'<details class="part"[^>]*>', printed)
    assert len(parts) == 2
    assert all(part.endswith(" open>") for part in parts)
    assert 'loading="lazy"' not in printed


def test_paper_has_the_whole_log(decider, monkeypatch):
    monkeypatch.setattr("audits.views.case_page.EVENTS", 1)
    case, _ = worlds.planned()
    assert "The newest 1 are shown." in text_of(decider.get(at(case)))
    assert "The newest 1 are shown." not in text_of(decider.get(f"{at(case)}?print=1"))


def test_a_part_that_does_not_exist_is_not_found(decider):
    assert decider.get(at(worlds.verified(), "parts/nothing/")).status_code == 404


def test_a_letter_is_read_without_leaving_the_page(decider):
    case = worlds.verified()
    letters.send_letter(request=case, code="ACKNOWLEDGEMENT", now=timezone.now(), context={})
    letter = case.letters.get()
    page = text_of(decider.get(at(case)))
    address = at(case, f"letters/{letter.pk}/?part=text")
    assert f'data-fetch="{address}"' in page
    text = text_of(decider.get(address))
    assert '<pre class="letter"' in text
    assert "<html" not in text


def test_what_was_sealed_is_shown_with_how_far_it_is_vouched_for(asked):
    case = worlds.erased()
    page, _ = asked(case)
    assert case.record.sha256 in page
    assert "None was noted" in page
    full_case.check_noted()
    page, _ = asked(case)
    assert '<span class="badge good">Whole</span>' in page
    assert "manage.py fsck --note" in page


def test_the_pictures_of_the_report_are_shown_and_checked(decider):
    case = worlds.erased()
    assert decider.get(at(case, "pictures/timeline.svg")).status_code == 404
    case_pictures.keep_pictures(case_id=case.pk, drawn={"timeline": SVG}, now=timezone.now())
    case_pictures.keep_pictures(case_id=case.pk, drawn={}, now=timezone.now())
    page = text_of(decider.get(at(case)))
    assert at(case, "pictures/timeline.svg") in page
    assert at(case, "pictures/provenance.svg") not in page
    got = decider.get(at(case, "pictures/timeline.svg"))
    assert (got.content.decode(), got.headers["Content-Type"]) == (SVG, "image/svg+xml")
    assert decider.get(at(case, "pictures/request.svg")).status_code == 404
    assert CasePictures.objects.get().provenance is None


def test_running_work_says_how_long_it_takes_and_what_it_said_last(decider):
    case, _ = worlds.planned()
    made = running(case, started_at=timezone.now() - timedelta(seconds=60))
    with kept_lines(made):
        jobs.report_progress(job=made, phase="training", done=0, total=16)
        jobs.report_progress(job=made, phase="training", done=4, total=16)
    assert [line.text for line in made.lines.all()] == ["training"]
    JobLine.objects.update(at=timezone.now() - timedelta(seconds=40))
    page = text_of(decider.get(at(case)))
    assert "4 of 16" in page
    assert "about 2.0 minutes left in this phase" in page
    assert "</time> training</li>" in page


@pytest.mark.parametrize(
    ("done", "total", "seconds", "left"),
    [(4, 16, 40, 120), (16, 16, 40, 0), (0, 16, 40, None), (1, 0, 40, None), (1, 16, 1, None)],
)
def test_what_is_left_goes_on_as_it_went(done, total, seconds, left):
    rest = remaining(done=done, total=total, spent=timedelta(seconds=seconds))
    assert rest == (None if left is None else timedelta(seconds=left))


def test_only_the_newest_lines_of_a_job_are_kept():
    case, _ = worlds.planned()
    made = running(case)
    with kept_lines(made):
        for number in range(KEPT + 3):
            jobs.report_progress(job=made, phase=f"phase {number}", done=0, total=0)
    assert made.lines.count() == KEPT
    assert made.lines.last().text.endswith(f"phase {KEPT + 2}")


def test_work_is_stopped_by_who_may_decide_about_models(decider, reader):
    case, _ = worlds.planned()
    made = running(case)
    stop = at(case, f"jobs/{made.pk}/cancel/")
    assert stop in text_of(decider.get(at(case)))
    assert stop not in text_of(reader.get(at(case)))
    assert reader.post(stop).status_code == 403
    assert decider.get(stop).status_code == 405
    decider.post(stop)
    made.refresh_from_db()
    assert made.cancel_requested
    assert logged(case, "job_cancelled") == [{"kind": "AUDIT"}]
    assert "It is being stopped." in text_of(decider.get(at(case, "progress/")))


def test_work_that_is_over_or_of_another_case_is_not_stopped(decider):
    case, _ = worlds.planned()
    made = running(case)
    user = member("ann", "Model operator")
    Job.objects.update(status="SUCCEEDED", holder=None)
    with pytest.raises(MoveNotAllowed, match="has ended"):
        cancelling.cancel_job(case_id=case.pk, job_id=made.pk, user=user, now=timezone.now())
    assert logged(case, "job_cancelled") == []
    Job.objects.update(payload_id=made.pk)
    assert decider.post(at(case, f"jobs/{made.pk}/cancel/")).status_code == 404


def test_work_that_ends_while_it_is_stopped_is_not_said_to_be_stopped(monkeypatch):
    case, _ = worlds.planned()
    made = running(case)
    real = jobs.request_cancel

    def ended(*, job_id: UUID, now: datetime):
        Job.objects.update(status="SUCCEEDED", holder=None)
        return real(job_id=job_id, now=now)

    monkeypatch.setattr(jobs, "request_cancel", ended)
    user = member("ann", "Model operator")
    with pytest.raises(MoveNotAllowed, match="has ended"):
        cancelling.cancel_job(case_id=case.pk, job_id=made.pk, user=user, now=timezone.now())
    assert logged(case, "job_cancelled") == []


FOLLOWS = ("stays sealed", "waits for a decision of staff", "until somebody retries it")


@pytest.mark.parametrize(
    ("kind", "follows", "after"),
    [
        ("REPORT", FOLLOWS[0], "a case officer can have the report written later"),
        ("SEARCH", FOLLOWS[1], "then waits for a decision of staff"),
        ("AUDIT", FOLLOWS[2], "retry it to go on"),
    ],
)
def test_what_follows_on_a_stop_is_said_for_each_kind_of_work(decider, kind, follows, after):
    case, _ = worlds.planned()
    made = running(case)
    Job.objects.update(kind=kind)
    stop = text_of(decider.get(at(case))).split(f'id="stop-{made.pk}"')[1].split("</details>")[0]
    assert [one for one in FOLLOWS if one in stop] == [follows]
    assert after in text_of(decider.post(at(case, f"jobs/{made.pk}/cancel/"), follow=True))


def test_a_page_shows_only_words_of_ours_that_are_known_beforehand(decider):
    case, _ = worlds.planned()
    made = running(case)
    log = logging.getLogger("expunge.unlearning")
    with kept_lines(made):
        log.warning("The second execution failed: %s", "Ada", extra={"said": "SECOND_FAILED"})
        log.warning("Ada Lovelace, 12 June Street")
        log.warning("%s", "Ada", extra={"said": "ADA"})
    assert [line.text for line in made.lines.all()] == ["!SECOND_FAILED"]
    page = text_of(decider.get(at(case)))
    assert said.SENTENCES["SECOND_FAILED"] in page
    assert "Ada Lovelace" not in page


def test_each_code_that_is_logged_is_known_and_each_that_is_known_is_logged():
    logged_codes = set()
    for app in ("audits", "unlearning", "lineage"):
        for file in (ROOT / app).rglob("*.py"):
            logged_codes |= set(re.findall(r'extra=\{"said": "(\w+)"\}', file.read_text()))
    assert logged_codes == set(said.SENTENCES)


def test_what_stopped_work_said_is_shown_until_its_case_is_sealed(decider):
    case, _ = worlds.judged(worlds.u_lira())
    made = running(case)
    with kept_lines(made):
        jobs.report_progress(job=made, phase="until it was stopped", done=0, total=0)
    Job.objects.update(status="CANCELLED", holder=None)
    cases = type(case).objects.filter(pk=case.pk)
    cases.update(status="FAILED", failed_from="AUDITING")
    assert "until it was stopped" in text_of(decider.get(at(case)))
    cases.update(status="AUDITING", failed_from="")
    closing.mark_erased(case_id=case.pk, now=timezone.now())
    worlds.sealed(case)
    assert not made.lines.exists()


def test_lines_go_after_their_days_or_with_the_identity_of_the_case(settings):
    case = worlds.erased()
    settings.EXPUNGE_JOB_LINE_DAYS = 3
    now, made = timezone.now(), running(case)
    for days in (4, 2):
        JobLine.objects.create(job=made, at=now - timedelta(days=days), level="INFO", text="x")
    assert job_lines.expire_lines(now=now) == 1
    assert made.lines.get().at == now - timedelta(days=2)
    retention.destroy_identity(case_id=case.pk, now=now)
    assert not made.lines.exists()


def test_lines_of_a_job_that_somebody_else_has_by_now_are_not_forgotten(monkeypatch):
    case, _ = worlds.planned()
    made = running(case)
    JobLine.objects.create(job=made, at=timezone.now(), level="INFO", text="of the other")

    def lost(job):
        Job.objects.filter(pk=job.pk).update(holder=uuid4())

    monkeypatch.setattr(shadows, "train_shadows", lost)
    call_command("run_job", str(made.pk))
    assert made.lines.count() == 1


def test_a_case_that_waits_for_acknowledgements_says_so_and_is_not_watched(asked, settings):
    settings.EXPUNGE_AWAIT_WITHDRAWAL = True
    case, run = worlds.judged(worlds.u_lira())
    closing.mark_erased(case_id=case.pk, now=timezone.now())
    assert "Preparing the next step" in asked(case)[0]  # nobody runs an old version
    ModelVersion.objects.filter(pk=run.target_id).update(state="WITHDRAWN")
    Deployment.objects.create(
        version=run.target,
        model_name=run.target.model_name,
        place="shop",
        kind="ENDPOINT",
        deployed_at=timezone.now(),
    )
    page, _ = asked(case)
    assert "The case is sealed once whoever runs an old version has acknowledged" in page
    assert "Preparing the next step" not in page
    assert "goes on by itself" not in page
    assert "data-poll" not in page
    assert "http-equiv" not in page


def test_the_operators_own_case_has_the_same_page(asked):
    case = full_case.operator_case()
    page, _ = asked(case)
    assert "No statutory deadline" in page
    assert "The forget set was not approved yet." in page
    assert 'id="clock"' not in page


def test_a_sealed_case_speaks_neither_of_extending_nor_of_stopping_its_clock(asked):
    case = full_case.full_case(1)
    assert "The clock does not stop while" in asked(case)[0]
    type(case).objects.filter(pk=case.pk).update(status="SEALED", outcome="ERASED")
    page, _ = asked(case)
    assert "The answer was due on" in page
    assert "The clock does not stop while" not in page
    assert "extension" not in page


def test_verdicts_and_letters_are_called_by_their_words_not_by_their_codes(asked):
    page, _ = asked(full_case.full_case(1))
    assert "Passed, no leak" in page.partition('id="ends"')[2].partition('id="decision"')[0]
    assert "Acknowledgement" in page
    assert "<code>PASS_LEAK</code>" not in page
    assert "ACKNOWLEDGEMENT</code>" not in page


def test_the_page_of_a_case_counts_its_due_date_in_the_language_of_the_reader(decider):
    case = full_case.full_case(1)
    text = decider.get(at(case), headers={"accept-language": "de"}).content.decode()
    assert "Die Antwort ist einen Monat nach dem Tag des Eingangs fällig (DSGVO (EU))" in text
    assert "Verlernen und Nachweise" in text
    assert "The answer is due" not in text
