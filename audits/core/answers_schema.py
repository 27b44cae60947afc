"""The members of ``findings.answers``: facts of a case that no other member of a record says.

Each is an object of these members and no other, a list of such objects, or ``{"none": code}``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.core.answer_kinds import DIGITS, NAME, NUMBER, Section, maybe
from audits.core.fields import (
    ACTOR,
    BOOL,
    CODE,
    COMMITMENT,
    COUNT,
    DATE,
    INSTANT,
    SHA256,
    SLUG,
    UUID,
    Kind,
    choice,
    list_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def _one(words: str, **members: Kind) -> Section:
    return Section(words=words, many=False, members=members)


def _many(words: str, **members: Kind) -> Section:
    return Section(words=words, many=True, members=members)


_REQUEST = {
    "receipt": _one(
        "how the request came in and when it was stored",
        source=choice("FORM", "STAFF", "API"),
        received_on=DATE,
        entered_on=DATE,
        delay_days=COUNT,
        entered_by=ACTOR,
        answer_by=CODE,
        mandate=maybe(SHA256),
        scan=choice("NOT_KEPT", "NOT_ON_PAPER"),
    ),
    "identity": _one(
        "how it was made sure who asks",
        confirmed_by=maybe(CODE),
        asked_for_more=COUNT,
        level=maybe(CODE),
        documents_shown=COUNT,
        documents_not_destroyed=COUNT,
    ),
    "checks": _many(
        "each step of it; a document that was shown is never stored",
        doubt=maybe(CODE),
        asked_at=maybe(INSTANT),
        received_at=maybe(INSTANT),
        method=maybe(CODE),
        level=maybe(CODE),
        checked_at=maybe(INSTANT),
        checked_by=maybe(ACTOR),
        proof_destroyed_at=maybe(INSTANT),
    ),
    "deadline": _one(
        "the limit that applied; the clock beside it has the whole derivation",
        rule=CODE,
        counted=DATE,
        due=DATE,
        moved_over=COUNT,
        extended=BOOL,
        notice_sent_at=maybe(INSTANT),
    ),
    "steps": _many(
        "which share of the time from receipt to seal each step took",
        step=CODE,
        seconds=COUNT,
        permille=COUNT,
    ),
    "waits": _many(
        "when the case stood still, and why", reason=CODE, since=INSTANT, until=maybe(INSTANT)
    ),
    "decisions": _many(
        "who decided; the text is committed to under the key of the case",
        decision=UUID,
        kind=CODE,
        state=CODE,
        refusal=maybe(CODE),
        proposed_by=maybe(ACTOR),
        proposed_at=INSTANT,
        approved_by=maybe(ACTOR),
        approved_at=maybe(INSTANT),
        text=maybe(COMMITMENT),
    ),
    "grounds": _many(
        "the grounds of the decisions, and whether another legal basis was found to be left",
        decision=UUID,
        ground=CODE,
        other_basis=BOOL,
        text=maybe(COMMITMENT),
    ),
    "exceptions": _many(
        "what stays under an exception, and until when",
        exception=UUID,
        code=CODE,
        until=DATE,
        dataset=maybe(UUID),
        location=maybe(UUID),
        ended_at=maybe(INSTANT),
    ),
    "letters": _many(
        "what was written to the person before the seal; the answer follows it",
        letter=CODE,
        number=COUNT,
        locale=SLUG,
        version=COUNT,
        digest=maybe(SHA256),
        state=CODE,
        sent_at=maybe(INSTANT),
    ),
}
_DATA = {
    "search": _one(
        "how the records were found, and what such a search cannot see",
        rule=choice("KEYED_DIGEST_EQUAL", "CHOSEN_BY_OPERATOR"),
        records=maybe(COUNT),
        equal=maybe(COUNT),
        close=maybe(COUNT),
        spaces=COUNT,
        records_without_owner=BOOL,
        blind_spots=list_of(CODE),
    ),
    "identifiers": _many("what was searched by, by kind", kind=CODE, count=COUNT),
    "places": _one(
        "the registered places by what they are; kinds with 0 are in no register",
        registered=COUNT,
        searched=COUNT,
        data=COUNT,
        caches=COUNT,
        exports=COUNT,
        labels=COUNT,
        logs=COUNT,
    ),
    "backups": _one(
        "what happens after a restore",
        holding=COUNT,
        journal_entries=COUNT,
        last_drill_at=maybe(INSTANT),
    ),
    "suppression": _one(
        "what keeps the person from coming back with an import",
        entered=BOOL,
        kept_days=COUNT,
        last_hit_on=maybe(DATE),
    ),
    "recipients": _one(
        "whom the registers name", told=COUNT, acknowledged=COUNT, not_possible=COUNT
    ),
    "deployments": _one(
        "where affected versions ran", known=COUNT, open=COUNT, not_acknowledged=COUNT
    ),
}
_MODELS = {
    "lineage": _one(
        "of how many model versions it is known what they learned from",
        versions=COUNT,
        captured=COUNT,
        permille=COUNT,
        affected=COUNT,
        not_affected=COUNT,
        unknown=COUNT,
        complete=choice("NOT_CLAIMED"),
    ),
    "exact": _many(
        "of each exact run, with respect to what it is exact, and what was not redone",
        run=UUID,
        way=CODE,
        second_execution=choice("SAME_BITS", "NOT_CLAIMED"),
        not_redone=list_of(CODE),
    ),
    "attacks": _many(
        "the attacks that were made", evidence=UUID, attack=SLUG, models_per_arm=COUNT
    ),
    "not_run": _many("the attacks that were not, with the reason", attack=CODE, reason=CODE),
    "limits_first": _many(
        "that the limits were in the log before the first result of each audited run",
        run=UUID,
        policy=maybe(SHA256),
        fixed_at=maybe(COUNT),
        first_result_at=maybe(COUNT),
        fixed_before=BOOL,
        looks=COUNT,
    ),
    "attempts": _one(
        "all runs, also those that failed or were not cleared",
        runs=COUNT,
        cleared=COUNT,
        failed=COUNT,
        escalated=COUNT,
        audits=COUNT,
    ),
    "reproduction": _one(
        "what can be repeated",
        records=choice("GONE", "KEPT", "NOT_TOUCHED"),
        repeatable=list_of(CODE),
        score_commitments=COUNT,
    ),
    "environments": _many(
        "what each run ran with",
        run=UUID,
        seed=DIGITS,
        recipe=maybe(SHA256),
        environment=maybe(SHA256),
    ),
    "actors": _many("who acted, by events in the log", actor=ACTOR, events=COUNT),
    "witnesses": _one(
        "what stands against a dishonest run",
        second_signer=choice("NONE"),
        not_shown=list_of(CODE),
    ),
    "test_copies": _one(
        "the copies that the test itself made",
        trained=COUNT,
        destroyed=COUNT,
        remaining=COUNT,
        readings=COUNT,
        first_at=maybe(INSTANT),
        destroyed_at=maybe(INSTANT),
    ),
    "utility": _many(
        "accuracy for everybody else; `before` of models that never saw the records, or of the "
        "old version",
        run=UUID,
        measured=CODE,
        before=maybe(NUMBER),
        after=maybe(NUMBER),
    ),
    "subgroups": _many(
        "the same for parts of the people", group=CODE, before=NUMBER, after=NUMBER
    ),
    "others": _one(
        "whether somebody can compare both sides of the erasure",
        readers_of_both=COUNT,
        retained_measured=COUNT,
        old_versions_gone=COUNT,
        old_versions_left=COUNT,
    ),
}
_SITE = {
    "log": _one(
        "the log as it stood just before the seal",
        events=COUNT,
        checkpoints=COUNT,
        last_checkpoint=maybe(COUNT),
        last_checkpoint_at=maybe(INSTANT),
        not_anchored=COUNT,
        checked=COUNT,
        full_check_at=maybe(INSTANT),
        full_check_events=maybe(COUNT),
    ),
    "roles": _many("who may do what", role=CODE, people=COUNT, rights=list_of(CODE)),
    "retention": _one(
        "until when the case can say whose it was",
        days=COUNT,
        key_until=DATE,
        commitments=COUNT,
        personal=list_of(CODE),
    ),
    "policy": _one(
        "the rules that held",
        digest=maybe(SHA256),
        regime=CODE,
        second_person=CODE,
        median_days=maybe(COUNT),
        since=DATE,
    ),
    "period": _many("how cases ended in the year before, in bands", outcome=CODE, cases=CODE),
    "responsible": _one(
        "who answers for it, with which software",
        controller=NAME,
        contact=NAME,
        authority=NAME,
        software=NAME,
        source=SHA256,
        packages=SHA256,
        record_format=NAME,
        evidence_format=NAME,
        answers_format=COUNT,
    ),
}
SECTIONS: Mapping[str, Section] = MappingProxyType({**_REQUEST, **_DATA, **_MODELS, **_SITE})
