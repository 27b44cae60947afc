"""Whether cases wait for one another on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.queries.operator_cases import intake_of
from audits.queries.policy_values import in_force
from unlearning.core.planning.policy import Intake

if TYPE_CHECKING:
    from audits.models import ErasureRequest


def coalesces() -> bool:
    """Return whether requests wait for one another at all."""
    return bool(in_force("COALESCE_DAYS") > 0 or in_force("MIN_BATCH") > 1)


def waits_for_others(request: ErasureRequest) -> bool:
    """Return whether a case may not be planned yet, as others may still join it.

    The operator's own cases wait for nobody.
    """
    alone = request.batch is None and intake_of(request.pk) is Intake.SUBJECT
    return alone and coalesces()
