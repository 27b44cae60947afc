"""What the edition of the report for the person says: in plain words, and of them alone.

It is drawn from the same sealed record as the regulator's. No member of staff is in it, not even
under a random id, and no fact about somebody else: no duplicates, no events, no recipients by
name.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from audits.core.placeholders import fill
from audits.execution import report_words as words
from audits.execution.report_checking import person_checking
from audits.execution.report_labels import labels
from audits.execution.report_models import treated_versions
from audits.execution.report_speech import counted, day, decimal, language, say
from audits.execution.report_view import SealedCase, areas, identity, site
from audits.queries.letter_models import phrase_of
from audits.queries.letter_texts import FALLBACK, phrases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.execution.report_models import Run, TreatedVersion

PERSON: dict[str, Any] = {
    "title": "What became of your request",
    "description": "What was done about one request, for the person who made it",
    "keywords": ["erasure", "GDPR Art. 17", "your request"],
}
TEXTS: dict[str, str | tuple[str, ...]] = {
    "request_head": ("Step", "Day or reason"),
    "request_title": "Your request",
    "data_title": "What became of your data",
    "models_title": "What became of the models",
    "limits_title": "What this cannot show",
    "verify_title": "How you can check this without us",
    "rights": "If you do not agree",
    "verify_log": "The record is entered in a log that we can only write on at its end. This is "
    "the signed state of the log. Keep this document: with it, anybody can see if we ever change "
    "what was in the log by then.",
}
OUTCOMES = {
    "ERASED": "We removed your data, and dealt with every model that we know had learned from it.",
    "NO_DATA_FOUND": "We searched and found no data about you.",
    "REFUSED": "We did not do what you asked for. The reason is given here.",
    "WITHDRAWN": "You took your request back before anything was done.",
    "NOT_IDENTIFIED": "With what we were told we could not tell which data is yours.",
    "RESTRICTION_LIFTED": "We stopped using your data for a time. That time is over, and you were "
    "told beforehand.",
    "REMOVED": "The data was taken out of training.",
    "JOINED": "An earlier request of yours was still open. We go on with that one.",
}
ALWAYS = (
    "This document says what we recorded. Anybody can check that it was not changed afterwards. "
    "That does not show that it was true when we wrote it.",
    "It covers the places that we know of. Copies that somebody else made, for instance by "
    "downloading something, are not covered.",
    "A test shows what one kind of attack found. There are attacks that we did not try, and "
    "nothing is said about those.",
    "What happened after this record was signed is not in it.",
)
SOMETIMES = {
    "masked": "In some places rows are left in which nothing names you any more. They are masked, "
    "not erased.",
    "kept": "Some of your data is kept, because the law allows or demands it. It is restricted.",
    "unsearched": "Some places were not searched.",
    "backups": "Backups still hold your data until the day on which they are destroyed.",
    "unknown": "Of some models we do not know all that they learned from. They may have learned "
    "from your data and were not changed.",
    "tested": "A changed model may keep traces that our test is too weak to see.",
    "bounded": "A model that was left within a bound may still hold traces within that bound.",
}


def person_view(case: SealedCase) -> dict[str, Any]:
    """Return everything that the person's edition shows, in the language that is spoken."""
    findings = case.findings
    outcome = case.verified.account.outcome
    treated = treated_versions(findings)
    told = identity(case, findings)
    del told["case"]  # the reference is what a person knows
    return {
        "locale": language(),
        "names": words.names(PERSON),
        "words": labels() | words.names(TEXTS),
        **told,
        "outcome": words.said(outcome),
        "meaning": say(OUTCOMES.get(outcome, "See the sections below.")),
        "areas": areas(outcome, findings, treated),
        "summary": _summary(findings, treated),
        "request": _request(findings),
        "data": _data(findings),
        "models": models_told(treated, findings),
        "checking": person_checking(reference=told["reference"], vkey=case.vkey),
        "limits": _limits(findings, treated),
        "rights": say(
            "Write to %(contact)s. You can also complain to %(authority)s, and you can go to "
            "court.",
            **site(),
        ),
    }


def _summary(findings: Mapping[str, Any], treated: Sequence[TreatedVersion]) -> list[str]:
    """Return the result in a few plain sentences."""
    rows = findings["erasure"]["records"]
    if not rows:
        return []
    records = sum(row["records"] for row in rows)
    sets = counted(len(rows), "%(n)s data set", "%(n)s data sets")
    said = [
        counted(
            records,
            "We removed your record from %(sets)s.",
            "We removed your %(n)s records from %(sets)s.",
            sets=sets,
        )
    ]
    if not treated:
        return [*said, say("As far as we know, no model had learned from them.")]
    learned = counted(
        len(treated), "%(n)s model had learned from them.", "%(n)s models had learned from them."
    )
    kinds = Counter(map(_kind, treated))
    told = [counted(kinds[kind], *SUMMARIES[kind]) for kind in SUMMARIES if kinds[kind]]
    return [*said, learned, *told]


SUMMARIES = {
    "again": (
        "%(n)s was made again without them.",
        "%(n)s were made again without them.",
    ),
    "destroyed": ("%(n)s was destroyed.", "%(n)s were destroyed."),
    "changed": (
        "%(n)s was changed so as to unlearn them, and then tested. That test has limits, which "
        "are listed below.",
        "%(n)s were changed so as to unlearn them, and then tested. Those tests have limits, "
        "which are listed below.",
    ),
    "left": (
        "%(n)s was left as it is, within a bound that is stated below.",
        "%(n)s were left as they are, within a bound that is stated below.",
    ),
    "open": ("%(n)s could not be dealt with yet.", "%(n)s could not be dealt with yet."),
}


def _kind(one: TreatedVersion) -> str:
    run = one.final
    if not run["guarantee"] or run["status"] != "CLEARED":
        return "open"
    if run["method"] == "destroy":
        return "destroyed"
    if run["method"] == "no_action":
        return "left"
    return "changed" if run["guarantee"] == "APPROXIMATE" else "again"


def _request(findings: Mapping[str, Any]) -> list[list[str]]:
    facts = findings["request"]
    rows = [
        [say("It reached us on"), day(facts["received_at"])],
        [say("You confirmed it on"), day(facts["verified_at"])],
        [say("We have to answer by"), day(facts["due_on"])],
        [say("This record was signed on"), day(findings["events"][-1]["at"])],
    ]
    if reason := phrases(language()).get(facts["refusal_code"] or ""):
        rows.append([say("Why we refused"), reason])
    return rows


def _data(findings: Mapping[str, Any]) -> list[str]:
    """Return what became of the data: section 5 in short."""
    told = phrases(language())
    places = Counter(row["result"] for row in findings.get("places", {}).get("locations", ()))
    said = []
    if findings["erasure"]["records"]:
        left = sum(row["remaining"] for row in findings["erasure"]["records"])
        said.append(told["deleted"] if not left else told["deleted_but"])
    if findings["erasure"]["subject_keys_destroyed"]:
        said.append(told["keys_destroyed"])
    if places["DELETED"]:
        said.append(fill(told["places_erased"], {"count": str(places["DELETED"])}))
    backups = findings.get("places", {}).get("backups", ())
    if backups:
        last = max(row["expires_on"] for row in backups)
        said.append(
            say("The last backup that holds your data is destroyed on %(day)s.", day=day(last))
        )
    return said or [say("None of your data was deleted.")]


def models_told(treated: Sequence[TreatedVersion], findings: Mapping[str, Any]) -> list[str]:
    """Return a sentence per version, in the words of the letters."""
    if not treated:
        return [phrases(language())["no_models"]]
    return [_told(one.final, findings) for one in treated]


def _told(run: Run, findings: Mapping[str, Any]) -> str:
    told = phrases(language())
    if run["status"] != "CLEARED":
        return fill(told["planned_open"], {"version": run["version_name"]})
    epsilon = run["report"].get("epsilon", "")
    values = {
        "version": run["version_name"],
        "epsilon": decimal(f"{epsilon:.2f}") if isinstance(epsilon, int | float) else str(epsilon),
        "delta": str(run["report"].get("delta", "")),
        "evidence": _evidence(run, findings),
    }
    shards = bool(run["report"].get("replay", {}).get("shards"))
    return fill(told[phrase_of(run["method"], run["guarantee"], shards=shards)], values)


def _evidence(run: Run, findings: Mapping[str, Any]) -> str:
    """Return the sentence on the test that the letter has, too; that is in English only."""
    rows = [row for row in findings["evidence"] if row["run"] == run["run"] and row["verdict"]]
    said = str(rows[-1]["payload"].get("for_the_person", "")) if rows else ""
    return said if said and language() == FALLBACK else phrases(language())["no_trace"]


def _limits(findings: Mapping[str, Any], treated: Sequence[TreatedVersion]) -> list[str]:
    results = {row["result"] for row in findings.get("places", {}).get("locations", ())}
    kinds = set(map(_kind, treated))
    holds = {
        "masked": "MASKED" in results,
        "kept": "RESTRICTED" in results,
        "unsearched": "NOT_SEARCHED" in results,
        "backups": bool(findings.get("places", {}).get("backups")),
        "unknown": bool(findings["plan"].get("unknown")),
        "tested": "changed" in kinds,
        "bounded": "left" in kinds,
    }
    return [*(say(SOMETIMES[name]) for name in SOMETIMES if holds[name]), *map(say, ALWAYS)]
