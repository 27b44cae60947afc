"""The page of a case: all of it in one place, in few queries whatever it holds."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from audits.models import CasePictures
from audits.services import case_pictures, closing, letters
from lineage.models import Deployment, Job, ModelVersion
from tests.audits.views import full_case, worlds
from tests.audits.views.test_views_cases import at, text_of
from tests.audits.views.working import running

QUERIES, BYTES = 25, 300_000
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
    assert name == "earlier" or f'id="part-{name}" open' in opened
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
    with django_assert_max_num_queries(QUERIES):
        printed = text_of(decider.get(f"{at(case)}?print=1"))
    parts = re.findall(r'<details class="part"[^>]* data-fetch="([^"]+)" open>', printed)
    assert len(parts) == 2
    fetched = ""
    for part in parts:
        with django_assert_max_num_queries(QUERIES):
            fetched += text_of(decider.get(part))
    assert "weather v1" in fetched
    assert "Nobody else is to be told." in fetched
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
