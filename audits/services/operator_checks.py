"""Which records can be the forget set of an operator's case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest, OperatorCase
from audits.queries.exceptions import must_be_kept
from audits.queries.operator_cases import chosen_of, needs_scores
from audits.services.transitions import MoveNotAllowed
from lineage.core.worded import not_among, worded
from lineage.queries.availability import purged_ordinals
from lineage.services.snapshots import check_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

S, Disposal = ErasureRequest.Status, OperatorCase.Disposal


class ForgetSetRefused(ValueError):
    """The records cannot be a forget set; the sentence says why."""


def check_scored(case: OperatorCase) -> None:
    """Refuse to choose while records are scored."""
    if case.request.status == S.DRAFT and needs_scores(case):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: the training records are still being scored; choose and "
                "propose the forget set when that is done.",
                case=case.request.reference,
            )
        )


def check_any(case: OperatorCase) -> None:
    """Refuse a set of which nothing is left, or that holds what must be kept."""
    if not chosen_of(case):
        raise ForgetSetRefused(
            worded(
                "Case %(case)s: every record that was chosen has been erased since. Choose "
                "others, or drop the case.",
                case=case.request.reference,
            )
        )
    _check_deletable(case.space, chosen_of(case), case.disposal)


def _check_deletable(space: OrdinalSpace, ordinals: BitMap, disposal: str) -> None:
    """Let no case delete what must be kept; it may leave the training all the same."""
    kept = ordinals & must_be_kept(space)
    if kept and disposal == Disposal.DELETE:
        raise ForgetSetRefused(
            worded(
                "%(count)s of these records must be kept (Art. 17(3), 18) and cannot be "
                "deleted; the first is %(kept)s. Leave them out, or start a case that keeps "
                "the records.",
                count=len(kept),
                kept=kept.min(),
            )
        )


def usable(space: OrdinalSpace, ordinals: BitMap, disposal: str) -> BitMap:
    """Return the records that can still be forgotten; refuse where there are none."""
    check_known(space, ordinals)
    left = ordinals - purged_ordinals(space)
    if not left:
        raise ForgetSetRefused(
            worded(
                "A forget set needs at least one record of %(name)s that was not erased; "
                "%(count)s were named.",
                name=space.name,
                count=len(ordinals),
            )
        )
    _check_deletable(space, left, disposal)
    return left


def check_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse any other code."""
    if value not in allowed:
        raise ValueError(not_among(name, value, allowed))
