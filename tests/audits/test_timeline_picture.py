"""The course of a case: its steps, their shares of the time, and the due date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.execution.svg_text import description_of
from audits.execution.timeline_picture import NAMES, percent, timeline_svg
from audits.execution.timeline_steps import STEPS, course_of

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WHOLE = (
    ("request_received", 0),
    ("request_verified", 100),
    ("subject_identified", 101),
    ("request_accepted", 4000),
    ("records_restricted", 4001),
    ("plan_drawn", 4010),
    ("run_started", 4500),
    ("run_finished", 5000),
    ("verdict_reached", 6000),
    ("run_finished", 5500),
    ("case_erased", 7000),
    ("case_sealed", 10_000),
)


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat()


def case(events=WHOLE, due: str | None = "2026-04-02", **more: object) -> dict[str, Any]:
    logged = [{"type": kind, "at": at(minute), "data": {}} for kind, minute in events]
    return {"events": logged, "request": {"due_on": due}, **more}


CLOCK = {
    "due_with_pauses": "2026-04-09",
    "pauses": [{"from": at(200), "until": at(900)}, {"from": at(950), "until": None}],
    "extension": {"due": "2026-06-09", "lapsed_at": None},
}


def test_each_step_takes_from_the_end_of_the_one_before():
    course = course_of(case())
    assert course
    assert [one.name for one in course.steps] == [one for one in STEPS if one != "ANSWER"]
    minutes = {one.name: one.took.total_seconds() / 60 for one in course.steps}
    assert minutes == {
        "RECEIPT": 0,
        "CONFIRMATION": 100,
        "SEARCH": 1,
        "DECISION": 3899,
        "RESTRICTION": 1,
        "PLAN": 9,
        "RUNS": 1490,
        "AUDIT": 500,
        "ERASURE": 1000,
        "SEAL": 3000,
    }
    assert sum(course.share(one) for one in course.steps) == pytest.approx(1)
    assert course.share(course.steps[3]) == pytest.approx(0.3899)


def test_waiting_is_for_people_and_for_the_first_run_to_begin():
    course = course_of(case())
    assert course
    waited = {one.name: (one.began - one.start).total_seconds() / 60 for one in course.steps}
    assert {name for name, minutes in waited.items() if minutes} == {
        *("CONFIRMATION", "DECISION", "RUNS")
    }
    assert waited["DECISION"] == 3899
    assert waited["RUNS"] == 490


def test_an_answer_is_a_letter_that_answers():
    course = course_of(case())
    assert course
    assert course.steps[-1].name == "SEAL"
    events = [
        *case()["events"],
        *({"type": "letter_sent", "at": at(10_001 + n), "data": {"letter": name}}
          for n, name in enumerate(("ANSWER_ERASED", "CONFIRM"))),
    ]  # fmt: skip
    course = course_of(case() | {"events": events})
    assert course
    assert (course.steps[-1].name, course.end) == ("ANSWER", START + timedelta(minutes=10_001))


def test_the_due_date_counts_pauses_and_an_extension_that_did_not_lapse():
    course = course_of(case(clock=CLOCK))
    assert course
    assert (course.due, course.extended) == (
        datetime(2026, 4, 10, tzinfo=UTC),
        datetime(2026, 6, 10, tzinfo=UTC),
    )
    assert course.pauses[1][1] == course.end
    lapsed = CLOCK | {"extension": {"due": "2026-06-09", "lapsed_at": at(5000)}}
    course = course_of(case(clock=lapsed))
    assert course
    assert course.extended is None


def test_the_same_findings_give_the_same_bytes_and_words_for_who_does_not_see():
    svg = timeline_svg(case(clock=CLOCK))
    assert svg
    assert timeline_svg(case(clock=CLOCK)) == svg
    said = description_of(svg)
    assert said.startswith("From 2026-03-02 09:30 to 2026-03-09 08:10 UTC the case took 6 d 22 h.")
    assert "Decision: 2 d 16 h, 39.0 %" in said
    assert said.endswith(
        "Due on 2026-04-09. Extended to 2026-06-09. The clock was paused 2 time(s)."
    )
    assert b"<text" not in svg


@pytest.mark.parametrize(("language", "words"), [("fr", "Effacement: 16"), ("de", "Löschung: 16")])
def test_it_speaks_the_language_that_is_asked_for(language, words):
    svg = timeline_svg(case(), language=language)
    assert svg
    assert words in description_of(svg)


def test_a_case_without_a_course_has_no_picture():
    assert timeline_svg(case(WHOLE[:1])) is None
    assert timeline_svg(case([])) is None
    assert timeline_svg(case([("case_opened", 0), ("case_sealed", 0)], due=None))


def test_what_took_a_moment_is_not_shown_as_nothing():
    assert [percent(share) for share in (0.0, 1e-5, 0.001, 0.4567)] == [
        *("0.0 %", "< 0.1 %", "0.1 %", "45.7 %")
    ]
    assert set(NAMES) == set(STEPS)


@settings(max_examples=60, deadline=None)
@given(st.permutations([0, 1, 5, 9, 20, 1, 700, 8, 3, 3, 90, 12]))
def test_shares_add_up_in_whatever_order_events_came(minutes):
    events = zip((kind for kind, _ in WHOLE), minutes, strict=True)
    course = course_of(case(sorted(events, key=lambda each: each[1])))
    assert course
    assert sum((one.took for one in course.steps), timedelta()) == course.took
    assert all(one.start <= one.began <= one.end for one in course.steps)
