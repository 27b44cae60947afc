"""Decide about kept records that equal or resemble those of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from pyroaring import BitMap

from audits.core.roles import Right
from audits.models import DuplicateFinding, ErasureRequest, OperatorCase
from audits.queries.accounts import accounts_of
from audits.queries.operator_cases import intake_of, operator_origin_of
from audits.services import exceptions, four_eyes, log, planning
from audits.services.actors import actor_of
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed
from lineage.core.worded import worded, worded_of
from lineage.queries.contents import targets_of
from lineage.queries.derivation import with_derived
from unlearning.core.planning.policy import Intake

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.queries.exceptions import Records

S = ErasureRequest.Status
Decision = DuplicateFinding.Decision


class NeedsSecond(Exception):
    """Whoever wants a record out of an operator's case's training cannot be the one to agree."""


def case_of_finding(finding_id: UUID) -> UUID:
    """Return the case that a finding belongs to."""
    return DuplicateFinding.objects.values_list("request_id", flat=True).get(pk=finding_id)


@transaction.atomic
def decide_duplicate(*, finding_id: UUID, decision: str, user: User, now: datetime) -> bool:
    """Keep a duplicate, or erase it with the case and all that was derived from it.

    In a case that the operator started two members of staff must want it out: the first call for
    ERASE proposes it, and one by somebody else decides. False when it was decided before.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        ValueError: the decision is neither KEEP nor ERASE.
        MoveNotAllowed: the case is already planned.
        MustBeKept: an exception or a restriction of somebody else keeps the record, or what was
            derived from it.
        NeedsSecond: whoever proposed that it goes, too, asks again.
    """
    require(user, Right.HANDLE)
    if decision not in (Decision.KEEP, Decision.ERASE):
        raise ValueError(
            worded_of(
                "decision",
                "It is %(decision)s; allowed are KEEP and ERASE.",
                decision=repr(decision),
            )
        )
    found = DuplicateFinding.objects.select_for_update(of=("self",))
    finding = found.select_related("request__subject", "space").get(pk=finding_id)
    four_eyes.check_stranger(request=finding.request, user=user, action="DECIDE_DUPLICATE")
    if finding.request.status != S.RESTRICTED:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s is %(state)s; duplicates are decided while it is RESTRICTED.",
                case=finding.request.reference,
                state=finding.request.status,
            )
        )
    if finding.decision != Decision.PENDING:
        return False
    twin = with_derived({finding.space: BitMap([finding.other_ordinal])})
    if decision == Decision.ERASE and not _agreed(finding, twin, user, now):
        return True
    finding.decision, finding.decided_by = decision, user
    finding.save(update_fields=["decision", "decided_by"])
    if decision == Decision.ERASE:
        planning.restrict_for(case_id=finding.request_id, records=twin, now=now)
    log.append(
        type="duplicate_decided",
        case=finding.request_id,
        now=now,
        actor=actor_of(user),
        data={"finding": str(finding_id), "decision": decision},
    )
    if decision == Decision.KEEP and _is_incident(finding):
        log.append(
            type="incident_raised",
            case=finding.request_id,
            now=now,
            actor=actor_of(user),
            data={"code": "DUPLICATE_KEPT"},
        )
    return True


@transaction.atomic
def decide_duplicates(
    *, case_id: UUID, findings: Iterable[UUID], decision: str, user: User, now: datetime
) -> int:
    """Decide about several duplicates of a case at once; return about how many.

    Those that ``user`` proposed are left to a second member of staff. Raises as
    ``decide_duplicate``.
    """
    require(user, Right.HANDLE)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="DECIDE_DUPLICATES")
    pending = DuplicateFinding.objects.filter(request_id=case_id, decision=Decision.PENDING)
    wanted = pending.filter(pk__in=list(findings)).order_by("pk")
    if decision == Decision.ERASE:
        wanted = wanted.exclude(proposed_by__in=accounts_of(user))
    return sum(
        decide_duplicate(finding_id=pk, decision=decision, user=user, now=now)
        for pk in wanted.values_list("pk", flat=True)
    )


def _deletes(case_id: UUID) -> bool:
    """Return whether a case deletes its records; an operator's may only leave them out."""
    case = operator_origin_of(case_id)
    return case is None or case.disposal == OperatorCase.Disposal.DELETE


def _agreed(finding: DuplicateFinding, twin: Records, user: User, now: datetime) -> bool:
    """Return whether a record goes now; else note who proposes it. Raises MustBeKept."""
    if _deletes(finding.request_id):
        exceptions.check_deletable(records=twin, besides=finding.request.subject)
    if intake_of(finding.request_id) is Intake.SUBJECT:
        return True
    if finding.proposed_by_id is not None:
        if finding.proposed_by_id in accounts_of(user):
            raise NeedsSecond(
                worded(
                    "You proposed that record %(record)s leaves, too. A second member"
                    " of staff decides about it.",
                    record=finding.other_ordinal,
                )
            )
        return True
    finding.proposed_by = user
    finding.save(update_fields=["proposed_by"])
    log.append(
        type="duplicate_proposed",
        case=finding.request_id,
        now=now,
        actor=actor_of(user),
        data={"finding": str(finding.pk)},
    )
    return False


def _is_incident(finding: DuplicateFinding) -> bool:
    """Return whether what is kept teaches what was to go: of a mislabelled record, the same label.

    A person's content is theirs under any label.
    """
    if finding.kind != DuplicateFinding.Kind.EXACT:
        return False
    if intake_of(finding.request_id) is Intake.SUBJECT:
        return True
    pair = BitMap([finding.forget_ordinal, finding.other_ordinal])
    return len(set(targets_of(finding.space, pair).values())) == 1
