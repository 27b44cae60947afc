"""The operator's own cases: who started them, what is proposed, and what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pyroaring import BitMap

from audits.core import events
from audits.models import ErasureRequest, LogLeaf, OperatorCase, ScoredRecord
from audits.queries.accounts import accounts_of
from audits.queries.beside import beside
from lineage.core import bitmaps
from lineage.core.worded import worded
from unlearning.core.planning.policy import Intake

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.db.models import QuerySet


S = ErasureRequest.Status
CHANNEL = "OPERATOR"
NO_DEADLINE = "NONE"  # the rule of a case that nobody asked for


def operator_case_of(case_id: UUID) -> OperatorCase | None:
    """Return what a case of the operator's has beside it; None for any other case."""
    found = OperatorCase.objects.select_related("space", "version", "request")
    return found.filter(pk=case_id).first()


def operator_origin_of(case_id: UUID) -> OperatorCase | None:
    """Return the operator's case that a case is or, by its links, follows on from; else None.

    A case that opened by itself, for a version that turned up late, is spoken of like the first.
    """
    both = ErasureRequest.objects.select_related("operator_case__space", "operator_case__version")
    at: UUID | None = case_id
    while at is not None and (case := both.filter(pk=at).first()):
        if found := getattr(case, "operator_case", None):
            return cast("OperatorCase", found)
        at = case.linked_to_id
    return None


def origin_of(request: ErasureRequest) -> OperatorCase | None:
    """Return the same of a case at hand, in no query where it was loaded whole and has no link."""
    if not request.loaded_whole:
        return operator_origin_of(request.pk)
    own: OperatorCase | None = beside(request, "operator_case")
    return own or (operator_origin_of(request.linked_to_id) if request.linked_to_id else None)


def intake_of(case_id: UUID) -> Intake:
    """Return who asked for a case, or the one it follows on from: a person, or the operator."""
    return Intake.OPERATOR if operator_origin_of(case_id) else Intake.SUBJECT


def chosen_of(case: OperatorCase) -> BitMap:
    """Return the records that are to leave the training."""
    return bitmaps.decode(bytes(case.chosen))


def seeds_of(case: OperatorCase) -> BitMap:
    """Return the records that were named when the case was opened."""
    return bitmaps.decode(bytes(case.seeds))


def digest_of(case: OperatorCase) -> str:
    """Return the digest of the records that are to leave the training."""
    return bitmaps.digest(chosen_of(case))


def needs_scores(case: OperatorCase) -> bool:
    """Return whether the records of the version are still to be scored."""
    return case.version_id is not None and not case.finding and not case.note


def scored(case: OperatorCase) -> QuerySet[ScoredRecord]:
    """Return the scored records, the most suspicious first."""
    return case.scored.order_by("-score", "ordinal")


def shown_records(case: OperatorCase) -> list[int]:
    """Return the scored records, the most suspicious first, then the others that were chosen.

    While the set is being chosen, those that were not chosen are among them.
    """
    chosen = chosen_of(case)
    found = list(scored(case).values_list("ordinal", flat=True))
    rest = chosen - BitMap(found)
    if case.request.status == S.DRAFT:
        return [*found, *rest, *seeds_of(case) - chosen - BitMap(found)]
    return [*(ordinal for ordinal in found if ordinal in chosen), *rest]


def may_approve(case: OperatorCase, user: User) -> str:
    """Return why a member of staff may not approve a forget set; empty if they may."""
    if not user.is_staff:
        return worded("Only a member of staff can approve a forget set.")
    if case.authors.filter(pk__in=accounts_of(user)).exists():
        return worded(
            "You opened this case or chose records of it, and whoever proposes a forget set "
            "cannot approve it. Ask a second member of staff."
        )
    return ""


def may_look(request: ErasureRequest) -> bool:
    """Return whether staff who decide may open the records of an operator's case.

    Not those of a dropped one, as there is nothing left to decide.
    """
    return request.outcome != ErasureRequest.Outcome.WITHDRAWN


def approved_set(case: OperatorCase) -> tuple[int, str] | None:
    """Return how many records were approved, and their digest; None if none were so far."""
    leaves = LogLeaf.objects.filter(case_id=case.pk, type="forget_set_approved")
    leaf = leaves.order_by("index").last()
    if leaf is None:
        return None
    data = events.parse(bytes(leaf.data)).data
    return int(str(data["records"])), str(data["digest"])


def account(case: OperatorCase) -> dict[str, Any]:
    """Return what the sealed record says of an operator's case: codes, counts and digests.

    Of the set as it was approved, whatever a hard purge took out of it since.
    """
    records, digest = approved_set(case) or (len(chosen_of(case)), digest_of(case))
    return {
        "reason": case.reason,
        "disposal": case.disposal,
        "version": None if case.version_id is None else str(case.version_id),
        "seeds": len(seeds_of(case)) + case.gone_seeds,
        "chosen": records,
        "chosen_digest": digest,
        "finding": case.finding,
        "note": case.note,
    }
