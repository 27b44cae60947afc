"""What an attack found of a run, in words for the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from audits.queries.evidence import verdict_of

if TYPE_CHECKING:
    from audits.models import ErasureRequest
    from unlearning.models import UnlearningRun

register = template.Library()


@register.filter
def plainly(run: UnlearningRun, case: ErasureRequest) -> str:
    """Return the sentence for the person of a run's last verdict on a case, or nothing."""
    verdict = verdict_of(run, case)
    return str(verdict.evidence.payload.get("for_the_person", "")) if verdict else ""
