"""What waits for somebody, as groups of lines that lead to where each is acted on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from audits.core.roles import Right, holders
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
from audits.services.rights import has_right
from audits.views.wording import BAD, CARE, SOON_DAYS, due_badge, job_title, verdict_badge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from django.contrib.auth.models import User

    from audits.models import ErasureRequest

JOB_DAYS = 28  # how long a failed job that belongs to no case is shown


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing to act on; ``own`` where the viewer may not, as they had a hand in it."""

    href: str
    label: str
    note: str = ""
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Things of one kind, the first of them as lines; ``total`` counts all."""

    code: str
    title: str
    hint: str
    tone: str
    rights: tuple[Right, ...]
    total: int
    lines: tuple[Line, ...]
    more: str

    @property
    def left(self) -> int:
        """Return how many are not shown."""
        return self.total - len(self.lines)

    @property
    def roles(self) -> str:
        """Return the roles that act on it, in words."""
        return " or ".join(holders(*self.rights))

    def is_for(self, user: User) -> bool:
        """Return whether the member of staff may act on at least one."""
        others = self.left or any(not line.own for line in self.lines)
        return bool(others) and has_right(user, *self.rights)


# Title, what to do about it, tone, and the rights of which one is enough.
OF_CASES: dict[str, tuple[str, str, str, tuple[Right, ...]]] = {
    OVERDUE: ("Overdue answers", "The time to answer has run out.", BAD, (Right.HANDLE,)),
    SOON: (
        "Due soon",
        f"Answers due within {SOON_DAYS} days.",
        CARE,
        (Right.HANDLE,),
    ),
    SECOND: (
        "Waiting for a second person",
        "Somebody proposed something; another person approves it or sends it back.",
        CARE,
        (Right.REVIEW,),
    ),
    FAILED: (
        "Stopped cases",
        "A step failed. Put the cause right, then try again.",
        BAD,
        (Right.OPERATE,),
    ),
    DECIDE: (
        "Requests to decide",
        "The person confirmed. Propose to accept or to refuse.",
        CARE,
        (Right.HANDLE,),
    ),
    DUPLICATES: (
        "Duplicates to decide",
        "Kept records resemble records that are to go.",
        CARE,
        (Right.HANDLE,),
    ),
    VERSIONS: (
        "Versions to decide about",
        "They cannot be trained again here, or got worse and are held.",
        CARE,
        (Right.OPERATE,),
    ),
    DRAFT: (
        "Forget sets being chosen",
        "Look at what is proposed, then ask for approval.",
        CARE,
        (Right.HANDLE,),
    ),
}


def needs(user: User, now: datetime) -> list[Group]:
    """Return what waits for somebody, the most pressing first; ten queries."""
    today = clocks.today(now)
    soon = attention.pressing(today, today + timedelta(days=SOON_DAYS))
    cases = [*soon, *attention.stopped(user)]
    of_cases = [
        _of_cases(code, [one for one in cases if one.group == code], now) for code in OF_CASES
    ]
    others = [*_of_letters(), *_of_models(now), *_of_registers(now), _of_policy(user)]
    return [one for one in [*of_cases, *others] if one.total]


def _of_cases(code: str, rows: Sequence[Any], now: datetime) -> Group:
    title, hint, tone, rights = OF_CASES[code]
    show = "overdue" if code == OVERDUE else "open"
    return group(
        (code, title, hint, tone, rights),
        rows,
        lambda one: Line(
            href=reverse("audits:case", args=[one.pk]),
            label=one.reference,
            note=_said(one, now, waits=code in (OVERDUE, SOON)),
            own=code == SECOND and one.own,
        ),
        f"{reverse('audits:request_list')}?show={show}",
    )


def _said(case: ErasureRequest, now: datetime, *, waits: bool) -> str:
    """Return how pressing a case is, else why it stopped, else what it is about."""
    badge = due_badge(case, clocks.today(now), waits=waits)
    return badge.label if badge else case.failure_code or case.get_kind_display()


def group(
    kind: tuple[str, str, str, str, tuple[Right, ...]],
    rows: Sequence[Any],
    line: Callable[[Any], Line],
    more: str,
) -> Group:
    """Return a group: code, title, hint, tone and rights; its rows; a line of each; where more."""
    code, title, hint, tone, rights = kind
    return Group(
        code=code,
        title=title,
        hint=hint,
        tone=tone,
        rights=rights,
        total=rows[0].of_all if rows else 0,
        lines=tuple(map(line, rows)),
        more=more,
    )


def _of_letters() -> Iterable[Group]:
    """Yield letters, and exceptions that ended."""
    cases, handle = reverse("audits:request_list"), (Right.HANDLE,)
    yield group(
        ("LETTERS", "Letters", "They could not be sent, or are to be posted.", CARE, handle),
        attention.letters(),
        lambda one: Line(
            href=f"{reverse('audits:case', args=[one.request_id])}#letters",
            label=one.request.reference,
            note=f"{one.code}: {one.get_state_display().lower()}",
        ),
        cases,
    )
    yield group(
        ("ENDED", "Exceptions that ended", "What was kept is to be erased now.", CARE, handle),
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
            "Evidence that says nothing",
            "No further run follows by itself.",
            CARE,
            operate,
        ),
        attention.inconclusive(),
        lambda one: Line(
            href=reverse("audits:evidence", args=[one.case, one.evidence_id]),
            label=f"{one.reference}, {one.run.target}",
            note=verdict_badge(one.outcome).label,
        ),
        reverse("audits:all_evidence"),
    )
    yield group(
        ("JOBS", "Failed jobs", f"Outside cases, of the last {JOB_DAYS} days.", BAD, operate),
        attention.failed_jobs(now - timedelta(days=JOB_DAYS)),
        lambda one: Line(
            href=reverse("audits:case", args=[one.case]) if one.case else _failed(),
            label=job_title(one.kind, None),
            note=one.error_code,
        ),
        _failed(),
    )
    yield group(
        (
            "COVERAGE",
            "Gaps in the lineage",
            "Nobody recorded what they learned from.",
            CARE,
            operate,
        ),
        attention.uncaptured(),
        lambda one: Line(
            href=reverse("lineage:version", args=[one.pk]), label=str(one), note="Not captured"
        ),
        reverse("lineage:version_list"),
    )


def _of_registers(now: datetime) -> Iterable[Group]:
    """Yield holds to review, and records that are held back."""
    handle, register = (Right.HANDLE,), (Right.REGISTER,)
    yield group(
        ("HOLDS", "Legal holds to review", "Their day of review has come.", CARE, register),
        attention.reviews(clocks.today(now)),
        lambda one: Line(
            href=reverse("audits:holds"),
            label=str(one.pk)[:8],
            note=f"since {one.review_on:%-d %B %Y}",
        ),
        reverse("audits:holds"),
    )
    yield group(
        ("LABELS", "Records held back", "They are alike under two labels.", CARE, handle),
        attention.held_records(),
        lambda one: Line(
            href=reverse("audits:label_conflicts"), label=f"{one.space}, record {one.ordinal}"
        ),
        reverse("audits:label_conflicts"),
    )


def _of_policy(user: User) -> Group:
    """Return the change of the policy that waits for a second person."""
    return group(
        (
            "POLICY",
            "A policy change to approve",
            "Another administrator than who proposed it approves it or sends it back.",
            CARE,
            (Right.ADMINISTER,),
        ),
        attention.policy_changes(user),
        lambda one: Line(
            href=reverse("audits:policy"),
            label=f"Change {one.number}",
            note=f"by {one.proposed_by.get_username()}",
            own=one.own,
        ),
        reverse("audits:policy"),
    )


def _failed() -> str:
    return f"{reverse('audits:queues')}#failed"
