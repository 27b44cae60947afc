"""The sets of an audit that is made of an experiment in memory, where nobody knows of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.utils.data import Subset

from audits.core.copied import drawn_records
from audits.core.design import derived_seed
from audits.core.mislabelled import Mislabelled
from audits.core.neighbours import copies_around
from audits.core.shadow_pool import decoded
from audits.core.shadows import ShadowData
from audits.core.twins import NoTwin, candidates_of, choose_twins
from unlearning.core.examples import count
from unlearning.core.recipe import NoExamples

if TYPE_CHECKING:
    from audits.core.design import TwinDesign
    from unlearning.core.examples import Examples
    from unlearning.library import Experiment

SMALLEST_TEST = 20


def drawn_sets(case: Experiment, design: TwinDesign, *, copies: bool) -> ShadowData:
    """Return who is learned, by whom replaced, planted and asked, and copies where asked for.

    Raises:
        NoExamples: ``forget`` is empty.
        NoTwin: ``unseen`` is too small.
    """
    if not count(case.forget):
        raise NoExamples("forget is empty; an audit needs at least one record to forget.")
    strangers, needed = count(case.unseen), count(case.forget) + design.canaries + SMALLEST_TEST
    if strangers < needed:
        raise NoTwin(
            f"unseen has {strangers} records; {needed} are needed: a twin for each of the "
            f"{count(case.forget)} to forget, {design.canaries} as canaries and {SMALLEST_TEST} "
            f"for tests."
        )
    seed = derived_seed(design.seed, "twins")
    twins = choose_twins(candidates_of(case.forget), candidates_of(case.unseen), seed=seed)
    rest = np.setdiff1d(np.arange(strangers), twins)
    rest = np.random.default_rng(derived_seed(design.seed, "rest")).permutation(rest)
    planted, test = rest[: design.canaries].tolist(), rest[design.canaries :].tolist()
    around, copied = _copies(case, design.seed) if copies else (None, ())
    return decoded(
        ShadowData(
            retain=case.retain,
            forget=case.forget,
            twins=Subset(case.unseen, twins.tolist()),
            canaries=Mislabelled(Subset(case.unseen, planted), len(case.recipe.targets)),
            test=Subset(case.unseen, test),
            copies=around,
            copied=copied,
        )
    )


def _copies(case: Experiment, seed: int) -> tuple[Examples | None, tuple[int, ...]]:
    """Return altered copies of records, and the places of those records; none where of all."""
    copied = drawn_records([0] * count(case.forget), seed=derived_seed(seed, "copied"))
    asked = Subset(case.forget, copied) if copied else case.forget
    return copies_around(asked, case.retain, seed=derived_seed(seed, "copies")), copied
