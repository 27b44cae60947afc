"""The sets of a shadow experiment as one pool, in which every model has its records by number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from torch.utils.data import ConcatDataset

from unlearning.core.examples import count, in_memory
from unlearning.core.stacked import Part

if TYPE_CHECKING:
    from audits.core.design import TwinDesign
    from audits.core.shadows import ShadowData
    from unlearning.core.examples import Examples


def decoded(data: ShadowData) -> ShadowData:
    """Return the same sets, decoded once for all models where they fit in memory."""
    return replace(
        data,
        retain=in_memory(data.retain),
        forget=in_memory(data.forget),
        twins=in_memory(data.twins),
        canaries=in_memory(data.canaries),
        test=in_memory(data.test),
    )


def pooled(data: ShadowData) -> Examples:
    """Return everything that any model may learn: retain set, forget set, twins and canaries."""
    pool: Examples = ConcatDataset([data.retain, data.forget, data.twins, data.canaries])
    return pool


def part_of(model: int, design: TwinDesign, data: ShadowData) -> Part:
    """Return what ``train_shadow`` trains one model on, by number in the pool, and its seed."""
    retain, forget, twins = count(data.retain), count(data.forget), count(data.twins)
    planted = np.flatnonzero(design.canary_member[model]) + retain + forget + twins
    first = retain if design.member[model] else retain + forget
    chosen = range(first, first + (forget if design.member[model] else twins))
    return Part(
        records=[*range(retain), *planted.tolist(), *chosen],
        seed=design.model_seed(model, "train"),
    )
