"""What the judged models of an audit can show, from its own numbers and spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.estimates import Level, Power
from audits.core.power import average_power, correlation_of, guess_power
from audits.core.sequential import METHOD, sequence_bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audits.core.kept import KeptContrast
    from audits.core.levels import Terms

    Floats: TypeAlias = NDArray[np.float64]


def power_of(
    kept: KeptContrast,
    terms: Terms,
    margin: Callable[[Level], float],
    *,
    models: int | None = None,
) -> dict[Level, Power]:
    """Return what the models can show of the record average and of one subject.

    Args:
        kept: of which the spread between records is taken.
        terms: at which error bounds are made.
        margin: what a leak must exceed to be a fail, by level.
        models: judged models per arm; those of ``kept`` by default.
    """
    models = min(kept.n_in, kept.n_out) if models is None else models
    average, subject = Level.RECORD_AVERAGE, Level.SUBJECT
    if terms.sequential:
        coins = np.full(models, 0.5)
        return {
            average: _sequential(coins, coins, terms),
            subject: _sequential(np.ones(models), np.zeros(models), terms),
        }
    records = len(kept.right_in)
    correlation = correlation_of((kept.averages_in, kept.averages_out), records)
    return {
        average: average_power(
            models, terms.alpha, margin(average), records=records, correlation=correlation
        ),
        subject: guess_power(models, terms.alpha, margin(subject)),
    }


def _sequential(inside: Floats, outside: Floats, terms: Terms) -> Power:
    """Return the bound of guesses of which exactly half are right; no power was computed."""
    bounds = sequence_bounds(inside, outside, terms.alpha, alpha_upper=terms.upper)
    return Power(smallest_bound=bounds.upper, detectable=None, method=METHOD)
