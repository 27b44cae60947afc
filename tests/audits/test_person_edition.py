"""What the person reads of exceptions, bounds, holds and days."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.utils import translation

from audits.execution.report_kept import kept_of
from audits.execution.report_models import treated_versions
from audits.execution.report_person import person_view
from audits.execution.report_told import told_area
from audits.execution.report_view import SealedCase, areas
from audits.queries.letter_texts import phrases
from tests.audits.plain_findings import SEALED, findings, run

pytestmark = pytest.mark.django_db  # the policy in force is read
EXCEPTION = {
    "exception": "e-1",
    "code": "ART_17_3_B",
    "until": "2030-01-01",
    "dataset": "d-1",
    "location": None,
    "ended_at": None,
}
WAITING = run(guarantee="", status="WAITING", verdict="")
STAYS = {
    "version": "bare v1",
    "version_name": "bare v1",
    "end": "EXCEPTED",
    "method": "",
    "verdict": "",
    "became": None,
    "exception": "ART_17_3_E",
    "until": "2030-01-01",
}
EXCEPTED = findings(
    answers={"exceptions": [EXCEPTION]},
    excepted_names={"e-1": "ledger"},
    runs=[WAITING],
    ends=[STAYS],
)


def view(found: dict[str, Any]) -> dict[str, Any]:
    """The person's view of findings, as if they had been sealed and verified."""
    *events, seal = [SimpleNamespace(index=at, event=as_event(one)) for at, one in counted(found)]
    account = SimpleNamespace(case="c", outcome="ERASED", findings=found, events=events)
    checkpoint = SimpleNamespace(origin="log", size=1, root=b"")
    verified = SimpleNamespace(account=account, seal=seal, checkpoint=checkpoint, digest="")
    case = SealedCase(verified=cast("Any", verified), sha256="", vkey="", checkpoint_note="")
    return person_view(case)


def counted(found: dict[str, Any]) -> enumerate[Any]:
    return enumerate(found["events"])


def as_event(one: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{"actor": "system", "data": {}} | one)


def told(found: dict[str, Any], language: str = "en") -> str:
    with translation.override(language):
        return json.dumps(view(found), ensure_ascii=False)


@pytest.mark.parametrize(
    ("language", "what", "day"),
    [
        ("en", "the data set ledger", "1 January 2030"),
        ("fr", "le jeu de données ledger", "1er janvier 2030"),
        ("de", "die Datenmenge ledger", "1. Januar 2030"),
    ],
)
def test_what_an_exception_keeps_is_named_with_its_reason_and_day(language, what, day):
    said = told(EXCEPTED, language)
    assert f"{day}: {what}" in said or f"{day} : {what}" in said or f"{day} von" in said
    assert what in said
    assert phrases(language)["ART_17_3_B"] in said
    assert phrases(language)["deleted"] not in said
    assert phrases(language)["deleted_but"] in said
    with translation.override(language):
        clean = view(findings())["areas"][0][1]
        assert view(EXCEPTED)["areas"][0][1] != clean
        assert areas("ERASED", EXCEPTED, [])[0][1] != areas("ERASED", findings(), [])[0][1]


def test_an_exception_that_ended_keeps_nothing():
    ended = EXCEPTION | {"ended_at": "2026-04-01T00:00:00.000Z"}
    assert kept_of(findings(answers={"exceptions": [ended]})) == []
    assert kept_of(findings()) == kept_of({"answers": {}}) == []
    (paper,) = kept_of(findings(answers={"exceptions": [EXCEPTION | {"dataset": None}]}))
    assert paper.what == "data outside the registers"


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_a_version_that_stays_is_no_work_to_come(language):
    said = told(EXCEPTED, language)
    coming = phrases(language)["planned_open"].replace("{version}", "bare v1")
    assert coming not in said
    assert coming in told(findings(runs=[WAITING]), language)
    assert phrases(language)["ART_17_3_E"] in said
    (one,) = treated_versions(EXCEPTED)
    assert (one.kind, one.result) == ("excepted", "refused")
    # One that no run was made for is there, too.
    assert phrases(language)["ART_17_3_E"] in told(findings(ends=[STAYS]), language)
    row = areas("ERASED", EXCEPTED, [one])[1]
    assert row[1:] == ["refused", row[2]]
    assert "stays by an exception" in row[2]


def test_a_version_destroyed_without_a_run_is_told_as_destroyed():
    found = findings(ends=[STAYS | {"end": "DESTROYED", "exception": None, "until": None}])
    (one,) = treated_versions(found)
    assert (one.kind, one.result, one.treatment) == (
        *("destroyed", "done"),
        "The version was destroyed.",
    )
    assert "bare v1 was destroyed." in told(found)


def test_nobody_in_the_registers_is_no_record_without_registers():
    assert told_area(findings())[0] == "done"
    old = findings()
    del old["answers"]
    assert told_area(old)[0] == "inconclusive"


def test_a_removal_within_a_bound_is_not_told_as_made_again():
    newton = run(method="certified_newton", guarantee="CERTIFIED", verdict="BOUNDED_REMOVAL")
    said = told(findings(runs=[newton]))
    assert "made again without them" not in said
    assert "within a stated distance of training without them" in said
    assert "taken out within a bound may still hold traces" in said
    assert view(findings(runs=[newton]))["areas"][1][1] == "done with residual"


def test_the_test_is_told_with_its_numbers_in_every_language():
    numbers = {"data": "own_records", "models": 256, "wrong_in_100": 2.5}
    numbers |= {"right_at_most": 61, "right_before_at_least": 88}
    changed = run(method="scrub", guarantee="APPROXIMATE", verdict="PASS_LEAK")
    row = {"run": changed["run"], "verdict": "PASS_LEAK", "payload": {"pass_in_numbers": numbers}}
    for language, wrong in (("en", "2.5"), ("fr", "2,5"), ("de", "2,5")):
        said = told(findings(runs=[changed], evidence=[row]), language)
        assert all(one in said for one in ("256", "61", "88", wrong))


def test_days_are_those_of_the_clock_of_the_case():
    rows = dict(view(findings())["request"])
    assert rows["It reached us on"] == "3 March 2026"  # half past midnight by the settings
    clock = {"zone": "America/New_York", "extension": None}
    rows = dict(view(findings(clock=clock))["request"])
    assert rows["It reached us on"] == "2 March 2026"
    assert rows["This record was signed on"] == "3 April 2026"


def test_the_request_has_channel_ground_extension_and_holds():
    extension = {"reason": "NUMBER", "due": "2026-06-03"}
    extension |= {"notice_sent_at": "2026-03-20T10:00:00.000Z"}
    held = [
        {"type": "request_held", "at": "2026-03-05T10:00:00.000Z"},
        {"type": "request_resumed", "at": "2026-03-09T10:00:00.000Z"},
    ]
    clock = {"zone": "Europe/Paris", "extension": extension}
    rows = dict(view(findings(clock=clock, events=[*held, SEALED]))["request"])
    assert rows["How it reached us"] == "by post"
    assert "You took your consent back" in rows["Why you may ask for it"]
    assert rows["More time for the answer"].startswith(
        "Until 3 June 2026. We told you on 20 March"
    )
    assert rows["Stopped by a legal hold"].startswith("From 5 March 2026 to 9 March 2026.")


def test_the_first_table_has_no_word_of_the_trade():
    again = findings(runs=[run()], plan={"unknown": ["v"]})
    said = json.dumps(view(again)["areas"])
    for word in ("captured", "membership", "read back", "reading back", "Code"):
        assert word not in said
    assert "Of 1 model we do not know all that it learned from." in said
