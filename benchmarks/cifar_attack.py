"""Every model attacked with the others as shadow models, and the rates that are compared.

A record was learned by exactly half of the models. Leaving out the attacked one leaves a member
one model fewer that learned it, and a stranger one fewer that did not: fits of unequal numbers
would give membership away by themselves. So each record is given equally many of both, drawn
regardless of the attacked model. What shows that nothing is left of this is the control: test
images, which no model learned, attacked in the same way with a made-up membership.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from audits.attacks.lira_offline import LiraOffline
from audits.attacks.lira_online import LiraOnline
from audits.attacks.threshold import Threshold
from audits.attacks.u_lira import ULira
from audits.core.attack import Observations, References
from audits.core.bounds import clopper_pearson_lower, clopper_pearson_upper
from audits.core.features import Outputs
from audits.core.roc import roc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.attack import RecordAttack
    from audits.core.roc import Roc

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

ATTACKS: dict[str, RecordAttack] = {
    "lira_online_fixed_variance": LiraOnline(copies=True),
    "lira_online_fixed_variance_one_query": LiraOnline(),
    "lira_online": LiraOnline(copies=True, own_spread_from=2),
    "lira_offline_fixed_variance": LiraOffline(copies=True),
    "lira_offline": LiraOffline(copies=True, own_spread_from=2),
    "u_lira": ULira(),
    "global_threshold": Threshold(signal="margin"),
}
MAIN = "lira_online_fixed_variance"
RATES = {"tpr_at_1_percent": 0.01, "tpr_at_0.1_percent": 0.001}
CURVE = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
ALPHA = 0.025  # of each of the two bounds
SMALLEST_ARM = 2


class TooFewShadows(ValueError):
    """A record has too few models of an arm beside an attacked one."""


def attacked(
    margins: Floats, learned: Flags, strangers: Floats, *, seed: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the rates of each attack over all models, and of the main one for each model.

    Args:
        margins: of n records and their mirror images under m models, shape [m, n, 2].
        learned: who learned what, shape [m, n].
        strangers: margins of p test images, shape [m, p, 2].
        seed: which models are left out where an arm has one more than the other.

    Raises:
        TooFewShadows: there are not two models of each arm beside every attacked one.
    """
    scores = leave_one_out(margins, learned, strangers, seed=seed)
    alone = [_rates(roc(*one)) for one in zip(scores[MAIN], learned, strict=True)]
    return {name: _summary(each, learned) for name, each in scores.items()}, alone


def leave_one_out(
    margins: Floats, learned: Flags, strangers: Floats, *, seed: int
) -> dict[str, Floats]:
    """Return each attack's scores, [m, n]; arguments and errors as of ``attacked``."""
    scores = {name: np.empty(learned.shape) for name in ATTACKS}
    size = _arm_size(learned)
    for model in range(len(learned)):
        rng = np.random.default_rng([seed, model])
        seen = Observations(
            target=Outputs.from_margins(margins[model, :, 0]),
            neighbours=margins[model, :, 1:],
            strangers=Outputs.from_margins(strangers[model, :, 0]),
            learned=_arm(margins, learned, model, size, rng),
            never_saw=_arm(margins, ~learned, model, size, rng),
        )
        for name, attack in ATTACKS.items():
            scores[name][model] = attack.score(seen)
    return scores


def control(strangers: Floats, *, seed: int) -> dict[str, Any]:
    """Return the rates on test images with a made-up membership, where nothing can be told."""
    models, images = strangers.shape[:2]
    order = np.random.default_rng(seed).random((models, images)).argsort(0)
    made_up = order < models // 2
    found, _ = attacked(strangers, made_up, strangers, seed=seed)
    return found


def _arm_size(learned: Flags) -> int:
    """Return how many models every record has in both arms, whichever model is attacked."""
    inside = learned.sum(0)
    smallest = int(min(inside.min(), (len(learned) - inside).min())) - 1
    if smallest < SMALLEST_ARM:
        raise TooFewShadows(
            f"Beside an attacked model some record has {smallest} models of an arm; an attack "
            f"needs {SMALLEST_ARM}."
        )
    return smallest


def _arm(
    margins: Floats, chosen: Flags, model: int, size: int, rng: np.random.Generator
) -> References:
    """Return so many models for each record, drawn from those of its arm but the attacked one."""
    drawn = rng.random(chosen.shape)
    drawn[~chosen] = np.inf
    drawn[model] = np.inf
    rows = np.argsort(drawn, axis=0)[:size]
    known = np.take_along_axis(margins, rows[..., None], axis=0)
    return References(margins=known[..., 0], neighbours=known[..., 1:])


def _summary(scores: Floats, learned: Flags) -> dict[str, Any]:
    """Return the mean over attacked models and its range, and all decisions in one."""
    curves = [roc(one, member) for one, member in zip(scores, learned, strict=True)]
    alone = [_rates(curve) for curve in curves]
    pooled = roc(scores.ravel(), learned.ravel())
    return {
        "mean_over_models": {
            name: _over([one[name] for one in alone]) for name in ("auc", *RATES)
        },
        "pooled": {"auc": round(pooled.auc, 5), **_told(pooled, int(learned.sum()))},
        "curve": [_point(curves, pooled, rate) for rate in CURVE],
    }


def _rates(found: Roc) -> dict[str, float | None]:
    return {"auc": found.auc, **{name: found.tpr_at(rate) for name, rate in RATES.items()}}


def _over(values: list[float | None]) -> dict[str, float] | None:
    """Return mean and range; None where there are too few strangers for such a rate."""
    given = [value for value in values if value is not None]
    if not given:
        return None
    told = {"mean": sum(given) / len(given), "lowest": min(given), "highest": max(given)}
    return {name: round(value, 5) for name, value in told.items()}


def _told(found: Roc, positives: int) -> dict[str, Any]:
    """Return the rates with Clopper-Pearson intervals of 95 %, over records of these models."""
    told: dict[str, Any] = {}
    for name, rate in RATES.items():
        tpr = found.tpr_at(rate)
        told[name] = tpr if tpr is None else round(tpr, 5)
        told[f"{name}_interval"] = None if tpr is None else _interval(tpr, positives)
    return told


def _interval(tpr: float, positives: int) -> list[float]:
    hits = round(tpr * positives)
    ends = (clopper_pearson_lower, clopper_pearson_upper)
    return [round(float(end(hits, positives, ALPHA)), 5) for end in ends]


def _point(curves: list[Roc], pooled: Roc, rate: float) -> dict[str, Any]:
    """Return a point of the pooled curve, and how far the curves of single models go apart."""
    alone = _over([curve.tpr_at(rate) for curve in curves])
    return {"fpr": rate, "tpr": pooled.tpr_at(rate), "models": alone}
