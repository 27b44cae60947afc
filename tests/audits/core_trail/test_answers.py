"""The answers of a record are closed, and what is derived from the log is derived right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core import answers, case_time, not_run, questions
from audits.core.account import LoggedEvent
from audits.core.answers_schema import SECTIONS
from audits.core.limits_first import limits_first
from audits.core.record import verify
from audits.queries.answers_models import NEVER
from audits.queries.answers_site import band
from tests.audits.core_trail.sealing import RUN, account, event

GOLDEN = Path(__file__).parent / "golden"
NOTHING = {name: answers.none("TEST") for name in SECTIONS}
DIGEST, OTHER = "ab" * 32, "cd" * 32


def logged(*rows: tuple[str, dict[str, Any], int]):
    """Events of one case at 0, 1, 2 ... in the log: type, data and minute of each."""
    return [
        LoggedEvent(index=place, event=event(kind, data, minute=minute))
        for place, (kind, data, minute) in enumerate(rows)
    ]


def refused(**change: object):
    with pytest.raises(answers.AnswersRefused) as caught:
        answers.check_answers(NOTHING | change)
    return str(caught.value)


def test_a_case_may_have_nothing_of_everything():
    answers.check_answers(NOTHING)
    assert "answers.roles must be a list that is not empty" in refused(roles=[])
    assert "it must be text that is wholly" in refused(roles={"none": "nobody at all"})


def test_a_member_that_is_missing_or_unknown_is_refused_by_name():
    assert "answers.name is not known" in refused(name="Ada")
    with pytest.raises(answers.AnswersRefused, match=r"answers\.waits is missing"):
        answers.check_answers({one: NOTHING[one] for one in NOTHING if one != "waits"})


def test_no_answer_holds_a_sentence_an_address_or_a_further_member():
    row = {"reason": "HOLD", "since": "2026-03-02T09:30:00.000Z", "until": None}
    answers.check_answers(NOTHING | {"waits": [row]})
    assert "answers.waits.reason is 'because Ada said so'" in refused(
        waits=[row | {"reason": "because Ada said so"}]
    )
    assert "exactly: reason, since, until" in refused(waits=[row | {"note": "x"}])
    assert "answers.waits.since" in refused(waits=[row | {"since": "ada@example.org"}])
    texts = [
        f"{name}.{member}"
        for name, one in SECTIONS.items()
        for member in one.members
        if one.members[member].accepts("ada@example.org")
    ]
    assert texts == [
        f"responsible.{one}"
        for one in (
            "controller",
            "contact",
            "authority",
            "software",
            "record_format",
            "evidence_format",
        )
    ]


def test_the_time_of_a_case_goes_to_the_steps_that_took_it():
    case = logged(
        ("request_received", RECEIVED, 0),
        ("request_verified", {"method": "LINK"}, 10),
        ("request_accepted", {"ground": "ART_17_1_B"}, 60),
        ("run_failed", {"run": RUN, "code": "BUSY"}, 70),
        ("verdict_reached", VERDICT, 75),
        ("run_failed", {"run": RUN, "code": "BUSY"}, 80),
    )
    steps = case_time.steps(case, sealed_at="2026-03-02T11:10:00.000Z")
    assert [(one["step"], one["seconds"], one["permille"]) for one in steps] == [
        ("CONFIRMATION", 600, 100),
        ("DECISION", 3000, 500),
        ("UNLEARNING", 900, 150),
        ("AUDIT", 300, 50),
        ("SEAL", 1200, 200),
    ]
    assert case_time.steps(case[:1], sealed_at=case[0].event.at)[0]["permille"] == 0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_shares_add_up_and_are_off_by_less_than_a_thousandth(parts):
    shares = case_time.thousandths(parts)
    whole = sum(parts)
    assert sum(shares) == (1000 if whole else 0)
    for part, share in zip(parts, shares, strict=True):
        assert whole == 0 or abs(share * whole - 1000 * part) < whole


def test_a_case_stood_still_from_the_hold_to_its_end():
    case = logged(
        ("info_asked", {"doubt": "SEVERAL_PEOPLE"}, 0),
        ("clock_paused", {"reason": "IDENTITY"}, 0),
        ("info_received", {"identifiers": 1}, 5),
        ("request_held", {"code": "LEGAL"}, 9),
    )
    found = [(one["reason"], one["since"], one["until"]) for one in case_time.waits(case)]
    start = "2026-03-02T09:30:00.000Z"
    assert found == [
        ("SEVERAL_PEOPLE", start, "2026-03-02T09:35:00.000Z"),
        ("IDENTITY", start, None),
        ("LEGAL", "2026-03-02T09:39:00.000Z", None),
    ]


def test_limits_that_came_after_the_result_are_called_out():
    fixed = ("policy_fixed", {"policy": DIGEST}, 1)
    result = ("verdict_reached", VERDICT, 2)
    first, later = logged(fixed, result), logged(result, fixed)
    run = str(RUN)
    [row] = limits_first(first, {run: DIGEST})
    assert (row["fixed_at"], row["first_result_at"], row["fixed_before"]) == (0, 1, True)
    assert not limits_first(later, {run: DIGEST})[0]["fixed_before"]
    assert row["looks"] == 0
    assert limits_first(first, {run: DIGEST}, {run: 2})[0]["looks"] == 2
    for unknown in (OTHER, None):  # other limits than those that were fixed
        [row] = limits_first(first, {run: unknown})
        assert (row["fixed_at"], row["fixed_before"]) == (None, False)


def test_every_attack_that_is_never_made_has_a_code():
    assert len(NEVER) == len(not_run.NEVER)


def test_a_number_of_cases_is_told_in_bands():
    counts = (1, 9, 10, 49, 50, 200, 999, 1000)
    assert [band(one) for one in counts] == [
        *("UNDER_10", "UNDER_10", "FROM_10", "FROM_10"),
        *("FROM_50", "FROM_200", "FROM_200", "FROM_1000"),
    ]


def test_a_reply_goes_through_lists_and_takes_none_for_an_answer():
    asked = questions.Question(
        words="?",
        fields=("findings.a.b", "findings.c.d", "findings.e", "events.run_started.attempt"),
    )
    said = questions.reply(
        account(findings={"a": [{"b": None}, {"b": 0}], "c": {"none": "EMPTY"}, "e": []}), asked
    )
    assert said.values == {"findings.a.b": [0], "events.run_started.attempt": [1]}
    assert said.none == {"findings.c.d": "EMPTY"}
    assert not questions.reply(account(findings={}), questions.QUESTIONS["Q33"]).answered


def test_a_record_from_before_the_answers_verifies_and_leaves_questions_open():
    sealed = (GOLDEN / "expunge-record-1.json").read_bytes()
    found = verify(sealed, vkey=(GOLDEN / "vkey.txt").read_text().strip())
    assert set(questions.unanswered(found.account)) >= {"Q1", "Q19", "Q30"}


@pytest.mark.parametrize("page", [answers, questions])
def test_the_pages_say_what_the_code_says(page):
    text = page.PAGE.read_text()
    assert text == page.page_text(text), f"run python -m {page.__name__}"


RECEIVED = {
    "channel": "FORM",
    "commitment": DIGEST,
    "received_on": "2026-03-02",
    "due_on": "2026-04-02",
    "rule": "GDPR",
    "calendar": "FR",
}
VERDICT = {"run": RUN, "verdict": "FAIL", "evidence": OTHER, "models_per_arm": 8}
