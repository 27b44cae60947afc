"""What waits for somebody, as groups of lines that lead to where each is acted on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from audits.core.letter_dates import date_words
from audits.core.roles import Right
from audits.execution.report_speech import language
from audits.queries import attention, clocks
from audits.queries.attention import (
    DECIDE,
    DRAFT,
    DUPLICATES,
    FAILED,
    OVERDUE,
    SECOND,
    SOON,
    VERSIONS,
)
from audits.views.need_groups import Line, group
from audits.views.wording import BAD, CARE, SOON_DAYS, due_badge, job_title, verdict_badge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

    from audits.models import ErasureRequest
    from audits.queries.attention import WaitingCase
    from audits.views.need_groups import Group

JOB_DAYS = 28  # how long a failed job that belongs to no case is shown
TITLES = {
    OVERDUE: "Overdue answers",
    SOON: "Due soon",
    SECOND: "Waiting for a second person",
    FAILED: "Stopped cases",
    DECIDE: "Requests to decide",
    DUPLICATES: "Duplicates to decide",
    VERSIONS: "Versions to decide about",
    DRAFT: "Forget sets being chosen",
}
# What to do about it.
HINTS = {
    OVERDUE: "The time to answer has run out.",
    SOON: "Answers due within %(days)s days.",
    SECOND: "Somebody proposed something; another person approves it or sends it back.",
    FAILED: "A step failed. Put the cause right, then try again.",
    DECIDE: "The person confirmed. Propose to accept or to refuse.",
    DUPLICATES: "Kept records resemble records that are to go.",
    VERSIONS: "They cannot be trained again here, or got worse and are held.",
    DRAFT: "Look at what is proposed, then ask for approval.",
}
# Tone, and the rights of which one is enough.
OF_CASES: dict[str, tuple[str, tuple[Right, ...]]] = {
    OVERDUE: (BAD, (Right.HANDLE,)),
    SOON: (CARE, (Right.HANDLE,)),
    SECOND: (CARE, (Right.REVIEW,)),
    FAILED: (BAD, (Right.OPERATE,)),
    DECIDE: (CARE, (Right.HANDLE,)),
    DUPLICATES: (CARE, (Right.HANDLE,)),
    VERSIONS: (CARE, (Right.OPERATE,)),
    DRAFT: (CARE, (Right.HANDLE,)),
}


def needs(user: User, now: datetime) -> list[Group]:
    """Return what waits for somebody, the most pressing first; eleven queries."""
    today = clocks.today(now)
    cases = attention.waiting_cases(user, today, today + timedelta(days=SOON_DAYS))
    of_cases = [
        _of_cases(code, [one for one in cases if one.group == code], now) for code in OF_CASES
    ]
    others = [
        *_of_letters(),
        *_of_models(now),
        _of_budgets(),
        *_of_registers(now),
        _of_policy(user),
    ]
    return [one for one in [*of_cases, *others] if one.total]


def _of_cases(code: str, rows: Sequence[WaitingCase], now: datetime) -> Group:
    tone, rights = OF_CASES[code]
    hint = _(HINTS[code]) % {"days": SOON_DAYS}
    show = "overdue" if code == OVERDUE else "open"
    return group(
        (code, _(TITLES[code]), hint, tone, rights),
        rows,
        lambda one: Line(
            href=reverse("audits:case", args=[one.case.pk]),
            label=one.case.reference,
            note=_said(one.case, now, waits=code in (OVERDUE, SOON)),
            own=code == SECOND and one.own,
        ),
        f"{reverse('audits:request_list')}?show={show}",
    )


def _said(case: ErasureRequest, now: datetime, *, waits: bool) -> str:
    """Return how pressing a case is, else why it stopped, else what it is about."""
    badge = due_badge(case, clocks.today(now), waits=waits)
    return _(badge.label) if badge else case.failure_code or _(case.get_kind_display())


def _of_letters() -> Iterable[Group]:
    """Yield letters, and exceptions that ended."""
    cases, handle = reverse("audits:request_list"), (Right.HANDLE,)
    yield group(
        (
            "LETTERS",
            _("Letters"),
            _("They could not be sent, or are to be posted."),
            CARE,
            handle,
        ),
        attention.letters(),
        lambda one: Line(
            href=f"{reverse('audits:case', args=[one.request_id])}#letters",
            label=one.request.reference,
            note=f"{one.code}: {_(one.get_state_display().lower())}",
        ),
        cases,
    )
    yield group(
        (
            "ENDED",
            _("Exceptions that ended"),
            _("What was kept is to be erased now."),
            CARE,
            handle,
        ),
        attention.ended_exceptions(),
        lambda one: Line(
            href=reverse("audits:erase_excepted", args=[one.decision.request_id, one.pk]),
            label=one.decision.request.reference,
            note=one.where,
        ),
        cases,
    )


def _of_models(now: datetime) -> Iterable[Group]:
    """Yield evidence that says nothing, failed jobs, and versions with an unknown origin."""
    operate = (Right.OPERATE,)
    yield group(
        (
            "EVIDENCE",
            _("Evidence that says nothing"),
            _("No further run follows by itself."),
            CARE,
            operate,
        ),
        attention.inconclusive(),
        lambda one: Line(
            href=reverse("audits:evidence", args=[one.case, one.evidence_id]),
            label=f"{one.reference}, {one.run.target}",
            note=_(verdict_badge(one.outcome).label),
        ),
        reverse("audits:all_evidence"),
    )
    yield group(
        (
            "JOBS",
            _("Failed jobs"),
            _("Outside cases, of the last %(days)s days.") % {"days": JOB_DAYS},
            BAD,
            operate,
        ),
        attention.failed_jobs(now - timedelta(days=JOB_DAYS)),
        lambda one: Line(
            href=reverse("audits:case", args=[one.case]) if one.case else _failed(),
            label=_(job_title(one.kind, None)),
            note=one.error_code,
        ),
        _failed(),
    )
    yield group(
        (
            "COVERAGE",
            _("Gaps in the lineage"),
            _("Nobody recorded what they learned from."),
            CARE,
            operate,
        ),
        attention.uncaptured(),
        lambda one: Line(
            href=reverse("lineage:version", args=[one.pk]), label=str(one), note=_("Not captured")
        ),
        reverse("lineage:version_list"),
    )


def _of_budgets() -> Group:
    """Return the cases that wait for the budget of an owner."""
    return group(
        (
            "BUDGETS",
            _("Cases that wait for a budget"),
            _("They go on once there is room, or before the answer is due. It can be lifted."),
            CARE,
            (Right.HANDLE, Right.OPERATE),
        ),
        attention.budget_waits(),
        lambda one: Line(
            href=reverse("audits:case", args=[one.request_id]),
            label=one.request.reference,
            note=str(one.owner),
        ),
        reverse("audits:owners"),
    )


def _of_registers(now: datetime) -> Iterable[Group]:
    """Yield holds to review, and records that are held back."""
    handle, register = (Right.HANDLE,), (Right.REGISTER,)
    yield group(
        (
            "HOLDS",
            _("Legal holds to review"),
            _("Their day of review has come."),
            CARE,
            register,
        ),
        attention.reviews(clocks.today(now)),
        lambda one: Line(
            href=reverse("audits:holds"),
            label=str(one.pk)[:8],
            note=_("since %(day)s") % {"day": date_words(one.review_on, language())},
        ),
        reverse("audits:holds"),
    )
    yield group(
        (
            "LABELS",
            _("Records held back"),
            _("They are alike under two labels."),
            CARE,
            handle,
        ),
        attention.held_records(),
        lambda one: Line(
            href=reverse("audits:label_conflicts"),
            label=_("%(space)s, record %(number)s") % {"space": one.space, "number": one.ordinal},
        ),
        reverse("audits:label_conflicts"),
    )


def _of_policy(user: User) -> Group:
    """Return the change of the policy that waits for a second person."""
    return group(
        (
            "POLICY",
            _("A policy change to approve"),
            _("Another administrator than who proposed it approves it or sends it back."),
            CARE,
            (Right.ADMINISTER,),
        ),
        attention.policy_changes(user),
        lambda one: Line(
            href=reverse("audits:policy"),
            label=_("Change %(number)s") % {"number": one.number},
            note=_("by %(name)s") % {"name": one.proposed_by.get_username()},
            own=one.own,
        ),
        reverse("audits:policy"),
    )


def _failed() -> str:
    return f"{reverse('audits:queues')}#failed"
