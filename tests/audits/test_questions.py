"""Every question that an authority asks is answered by the sealed account of a case."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction

from audits import keys
from audits.core.answers import check_answers
from audits.core.answers_schema import SECTIONS
from audits.core.commitment import opens
from audits.core.questions import QUESTIONS, reply, unanswered
from audits.core.record import verify
from audits.execution.report_answer_words import CHAPTERS, LABELS
from audits.execution.report_answers import answers_view, limits
from audits.models import (
    Decision,
    ErasureRequest,
    GroundFinding,
    IdentityCheck,
    Intake,
    Letter,
    LocationException,
    LocationResult,
    LogHead,
    Notice,
    Recipient,
)
from audits.models.case_secrets import key_name
from audits.services import log
from config.settings import BASE_DIR
from lineage import keys as key_store
from lineage.models import Deployment, Location, SuppressionHit
from tests.audits import closed_cases, sealed_cases
from tests.audits.sealed_cases import at

CANARY = "zanzibar"
_SEEN: dict[str, Any] = {}


@pytest.fixture
def installation(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)


@pytest.fixture
def rich(request):
    """The account of a case with everything, made once; what staff wrote is full of a canary."""
    if not _SEEN:
        request.getfixturevalue("installation")
        case = sealed_cases.case_to_seal()
        _written(case)
        secret = key_store.get(key_name(case.pk))
        data = bytes(sealed_cases.sealed(case).record.data)
        vkey = keys.verifier_text()
        _SEEN.update(data=data, secret=secret, vkey=vkey, account=account_of(case))
    return _SEEN["account"]


def account_of(case):
    return verify(bytes(case.record.data), vkey=keys.verifier_text()).account


def _written(case):
    staff = User.objects.create_user(f"{CANARY}-clerk", is_staff=True)
    Intake.objects.create(
        request=case, source="STAFF", entered_at=at(2 * 24 * 60), entered_by=staff
    )
    IdentityCheck.objects.create(
        request=case,
        doubt="SEVERAL_PEOPLE",
        asked_at=at(5),
        method="DOCUMENT",
        level="HIGH",
        checked_at=at(9),
        checked_by=staff,
        proof_destroyed_at=at(11),
    )
    decision = Decision.objects.create(
        request=case,
        kind="ACCEPT",
        state="APPROVED",
        assessment=f"{CANARY} assessed",
        proposed_by=staff,
        proposed_at=at(50),
        approved_at=at(60),
    )
    GroundFinding.objects.create(
        decision=decision,
        code="ART_17_1_B",
        purpose=f"{CANARY} purpose",
        assessment="Valid.",
        other_ground=f"{CANARY} tax law",
    )
    place = Location.objects.create(
        slug="archive-db", kind="sql", purpose="Old orders", category="LOG", created_at=at(0)
    )
    LocationResult.objects.create(
        case=case,
        location=place,
        result="DELETED",
        found=3,
        erased_at=at(150),
        verified_at=at(151),
    )
    LocationException.objects.create(
        decision=decision,
        place="archive-db",
        code="ART_17_3_E",
        basis=f"{CANARY} basis",
        scope=f"{CANARY} scope",
        until=date(2027, 1, 1),
    )
    Letter.objects.create(
        request=case,
        code="ACKNOWLEDGEMENT",
        digest="12" * 32,
        state="SENT",
        created_at=at(1),
        sent_at=at(2),
        content=CANARY.encode(),
    )
    Deployment.objects.create(
        version=case.runs.first().target,
        model_name="digits",
        place="edge",
        kind="EDGE",
        deployed_at=at(-100),
    )
    Notice.objects.create(
        request=case,
        occasion="ERASED",
        recipient=Recipient.objects.create(name=f"{CANARY} partner"),
        state="ACKNOWLEDGED",
        created_at=at(160),
        next_at=at(160),
        sent_at=at(161),
        ack_at=at(170),
    )
    SuppressionHit.objects.create(day=date(2026, 1, 5), people=2)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_answered_by_a_named_member(rich, name):
    said = reply(rich, QUESTIONS[name])
    assert said.values, f"only this is said: {said.none}"
    ours = [path for path in QUESTIONS[name].fields if path.startswith("findings.answers.")]
    silent = [
        path
        for path in ours
        if path not in said.values
        and path not in said.none
        and not path.endswith((".records", ".level"))
    ]
    assert silent == []


def test_what_is_answered_is_what_happened(rich):
    found = rich.findings["answers"]
    assert (found["receipt"]["source"], found["receipt"]["delay_days"]) == ("STAFF", 2)
    assert found["identity"] == {
        "confirmed_by": "EMAIL_LINK",
        "asked_for_more": 1,
        "level": "HIGH",
        "documents_shown": 1,
        "documents_not_destroyed": 0,
    }
    assert sum(one["permille"] for one in found["steps"]) == 1000
    assert found["exceptions"][0]["until"] == "2027-01-01"
    assert (found["places"]["registered"], found["places"]["logs"]) == (1, 1)
    assert found["deployments"] == {"known": 1, "open": 1, "not_acknowledged": 1}
    assert found["suppression"]["last_hit_on"] == "2026-01-05"
    assert found["lineage"] | {"versions": 0} == {
        "versions": 0,
        "captured": 0,
        "permille": 0,
        "affected": 3,
        "not_affected": 2,
        "unknown": 1,
        "complete": "NOT_CLAIMED",
    }
    assert {one["way"] for one in found["exact"]} == {"RETRAIN", "DESTROY"}
    assert found["attempts"] == {"runs": 4, "cleared": 3, "failed": 0, "escalated": 1, "audits": 2}
    assert (found["test_copies"]["trained"], found["test_copies"]["remaining"]) == (256, 0)
    assert {one["measured"] for one in found["utility"]} == {"SHADOWS_RETAINED", "SHADOWS_TEST"}
    assert found["retention"]["key_until"] == "2029-03-03"
    assert found["log"]["checked"] == len(rich.events) < found["log"]["events"] + 1


def test_the_limits_were_in_the_log_before_each_result(rich):
    rows = rich.findings["answers"]["limits_first"]
    places = {one.index: one.event.type for one in rich.events}
    assert len(rows) == 2
    for row in rows:
        assert row["fixed_before"]
        assert places[row["fixed_at"]] == "policy_fixed"
        assert places[row["first_result_at"]] == "verdict_reached"


def test_what_staff_wrote_is_committed_to_and_not_told(rich):
    assert CANARY.encode() not in _SEEN["data"]
    assert CANARY not in str(rich.findings["answers"])
    wrote = {"assessment": f"{CANARY} assessed", "evidence": "", "legal_position_note": ""}
    [told] = rich.findings["answers"]["decisions"]
    assert opens(told["text"], _SEEN["secret"], wrote)


def test_a_case_in_which_nothing_was_found_answers_too(installation):
    found = account_of(sealed_cases.no_data_case())
    assert unanswered(found) == []
    assert found.findings["answers"]["deployments"] == {"none": "NONE_REGISTERED"}
    assert found.findings["answers"]["limits_first"] == {"none": "NO_MODEL_AUDITED"}
    assert found.findings["limits"]
    check_answers(found.findings["answers"])


@pytest.fixture
def view(rich):
    return answers_view(rich)


def test_the_report_shows_every_answer_under_one_heading(rich, view):
    placed = [part for parts in CHAPTERS.values() for part in parts]
    assert sorted(placed) == sorted(SECTIONS) == sorted(LABELS)
    for name, labels in LABELS.items():
        assert len(labels) == 1 + len(SECTIONS[name].members), name
    chapter = view["chapters"]["evidence"]
    assert [one["title"] for one in chapter["tables"]][:2] == [
        "Limits before results",
        "Attacks that were made",
    ]
    assert chapter["pairs"] == [["Accuracy by group", "None: not measured"]]
    for one in chapter["tables"]:
        assert {len(row) for row in one["rows"]} == {len(one["header"])}
    assert ["Receipt: Days until it was entered", "2"] in view["chapters"]["request"]["pairs"]
    folder = BASE_DIR / "templates" / "reports"
    template = "".join(path.read_text() for path in folder.glob("*.typ"))
    assert all(f'answers-of(view.answers, "{name}"' in template for name in CHAPTERS)


def test_the_report_lists_the_questions_with_the_members_that_answer(view):
    rows = {row[0]: row[1:] for row in view["questions"]["rows"]}
    assert rows.keys() == QUESTIONS.keys()
    assert rows["Q20"] == [QUESTIONS["Q20"].words, {"code": "findings.answers.not_run"}]


def test_the_partial_has_no_word_of_its_own():
    text = (BASE_DIR / "templates" / "reports" / "answers.typ").read_text()
    code = re.sub(r"(?m)//.*$", "", text)
    assert '"' not in code
    assert [one for one in re.findall(r"\[(.*?)\]", code) if not one.startswith("#")] == []


def test_a_report_of_an_earlier_record_says_that_it_holds_less(rich):
    early = replace(rich, findings={"request": {}})
    view = answers_view(early)
    said = "not recorded by the release that sealed this record"
    assert view["chapters"]["request"]["pairs"] == [["Further answers", said]]
    assert view["questions"]["rows"][0][2] == said
    assert limits({}) != [] != limits({"limits": []})
    assert limits({"limits": ["One."]}) == ["One."]


def test_a_case_with_any_outcome_answers_every_question_and_names_limits(installation):
    for outcome in closed_cases.OUTCOMES:
        if outcome == "EXPIRED":
            continue  # such a case is not sealed
        case = ErasureRequest.objects.create(
            reference=f"ER-{outcome}"[:16],
            status="ERASED",
            outcome=outcome,
            status_digest=outcome,
            received_at=at(0),
        )
        with transaction.atomic():
            log.append(type="request_withdrawn", case=case.pk, now=at(1))
        found = account_of(sealed_cases.sealed(case))
        assert unanswered(found) == [], outcome
        assert found.findings["limits"], outcome


def test_a_check_of_the_whole_log_is_told_by_later_records(installation):
    sealed_cases.no_data_case()
    before = LogHead.objects.get().size
    call_command("fsck", "--note", stdout=StringIO())
    told = account_of(sealed_cases.no_data_case()).findings["answers"]["log"]
    assert told["full_check_events"] == before
    assert told["full_check_at"]
