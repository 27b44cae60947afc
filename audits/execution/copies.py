"""Altered copies of the records that an audit asks about, for attacks that look beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.utils.data import Subset, TensorDataset

from audits.core import copied
from audits.core.design import derived_seed
from audits.core.neighbours import COUNT, Copies
from audits.queries.designs import design_of
from audits.queries.forget_sets import subjects_of
from unlearning.core.examples import RESIDENT_BYTES, Held, count

if TYPE_CHECKING:
    from audits.models import AuditPlan
    from unlearning.core.examples import Examples

NEIGHBOURHOOD = "neighbourhood"
SPREAD_SAMPLE = 500


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
    first = asked[0][0]
    size = count(asked) * COUNT * first.numel() * first.element_size()
    if not first.is_floating_point() or size > RESIDENT_BYTES:
        return None
    inputs, labels = Held(asked).all()
    sample = Subset(retain, range(min(count(retain), SPREAD_SAMPLE)))
    spread = Held(sample).all()[0].std(0)
    made = Copies(seed=derived_seed(design_of(plan).seed, "copies")).around(inputs, spread)
    return TensorDataset(made.flatten(0, 1), labels.repeat_interleave(made.shape[1]))
