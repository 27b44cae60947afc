"""The person's request in their edition: how it came, why it was granted, and what delayed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_person_words import CHANNELS, GROUNDS
from audits.execution.report_speech import day, language, say
from audits.queries.letter_texts import phrases

if TYPE_CHECKING:
    from collections.abc import Mapping


def request_rows(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return the request as rows of a step and its day or reason."""
    facts = findings["request"]
    channel = CHANNELS.get(facts["channel"])
    rows = [
        [say("It reached us on"), day(facts["received_at"])],
        [say("How it reached us"), say(channel) if channel else words.said(facts["channel"])],
        [say("You confirmed it on"), day(facts["verified_at"])],
    ]
    if ground := GROUNDS.get(facts["ground"] or ""):
        rows.append([say("Why you may ask for it"), say(ground)])
    rows += [[say("We have to answer by"), day(facts["due_on"])]]
    rows += [*_extension(findings), *_holds(findings)]
    rows.append([say("This record was signed on"), day(findings["events"][-1]["at"])])
    if reason := phrases(language()).get(facts["refusal_code"] or ""):
        rows.append([say("Why we refused"), reason])
    return rows


def _extension(findings: Mapping[str, Any]) -> list[list[str]]:
    found = (findings.get("clock") or {}).get("extension")
    if not found:
        return []
    name = say("More time for the answer")
    told = found["notice_sent_at"]
    if not told:
        return [[name, say("We wanted more time, but did not tell you, so it does not count.")]]
    said = say("Until %(day)s. We told you on %(told)s.", day=day(found["due"]), told=day(told))
    reason = phrases(language()).get(found["reason"], "")
    return [[name, f"{said} {reason}".strip()]]


def _holds(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return when a legal hold stopped the case; its basis may be about others and stays out."""
    rows: list[list[str]] = []
    since = ""
    for event in findings["events"]:
        if event["type"] == "request_held":
            since = event["at"]
        elif since and event["type"] in ("request_resumed", "case_sealed"):
            rows.append([say("Stopped by a legal hold"), _held(since, event["at"])])
            since = ""
    return rows


def _held(since: str, until: str) -> str:
    return say(
        "From %(since)s to %(until)s. In this time your data was needed for legal claims or "
        "proceedings (Art. 17(3)(e)): we stored it and did not use it.",
        since=day(since),
        until=day(until),
    )
