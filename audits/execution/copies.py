"""Altered copies of the records that an audit asks about, for attacks that look beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.utils.data import Subset

from audits.core import copied
from audits.core.design import derived_seed
from audits.core.neighbours import copies_around
from audits.queries.designs import design_of
from audits.queries.forget_sets import subjects_of

if TYPE_CHECKING:
    from audits.models import AuditPlan
    from unlearning.core.examples import Examples

NEIGHBOURHOOD = "neighbourhood"


def copied_records(plan: AuditPlan, records: int) -> tuple[int, ...]:
    """Return the places of the records that are copied, of so many; empty where all are."""
    if NEIGHBOURHOOD not in plan.policy.get("attacks", ()) or records <= copied.MOST:
        return ()
    owners = plan.design.get("places") or subjects_of(plan.run) or []
    if len(owners) != records:  # nobody knows whose they are
        owners = [0] * records
    seed = derived_seed(design_of(plan).seed, "copied")
    return copied.drawn_records(owners, seed=seed, most=copied.MOST)


def copies_of(
    plan: AuditPlan, questioned: Examples, retain: Examples, chosen: tuple[int, ...]
) -> Examples | None:
    """Return copies of the records at the chosen places, or of all where none are named.

    None where the policy asks for no such attack, where inputs are not numbers that can be moved,
    or where the copies do not fit in memory: the attack is then not made, and the audit says so.
    """
    if NEIGHBOURHOOD not in plan.policy.get("attacks", ()):
        return None
    asked = Subset(questioned, chosen) if chosen else questioned
    return copies_around(asked, retain, seed=derived_seed(design_of(plan).seed, "copies"))
