"""What an audit says of one look: the kept numbers, and all that is shown beside them.

Plain values, without models or database: the platform stores them as evidence, and the library
writes them to a file (``audits.core.evidence_file``).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from audits.core.attack import ModelComparison
from audits.core.attack_register import attack_titles
from audits.core.attempts import paths
from audits.core.comparison import TooFewToCompare
from audits.core.contrast import measure_under, records_without_signal
from audits.core.exposure import SMALLEST_RETAINED, side_effect
from audits.core.kinds import of_kind
from audits.core.not_run import not_run
from audits.core.passing import strength_of
from audits.core.plainly import for_the_person, pass_in_numbers
from audits.core.policy import Mode
from audits.core.power_curve import power_curve
from audits.core.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.estimates import Contrast, Measurements
    from audits.core.kept import Kept
    from audits.core.policy import EvidencePolicy
    from audits.core.shadow_scores import ShadowScores
    from audits.core.verdict import Verdict

DIGITS = 6
PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)


def account_of(
    attacks: Mapping[str, Kept],
    verdict: Verdict,
    policy: EvidencePolicy,
    not_made: Mapping[str, str],
    *,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return plain JSON values: what was measured, by what, and what that can show at all.

    Args:
        attacks: what each attack kept, by name, U-LiRA first.
        verdict: what was concluded from all of them.
        policy: the rules that were fixed before.
        not_made: why attacks of the policy could not be made, by name.
        earlier: of the audits of the same records before this one, as JSON values.
    """
    (_, kept), *others = attacks.items()
    everything = {name: measure_under(one, policy) for name, one in attacks.items()}
    measured, titles = next(iter(everything.values())), attack_titles()
    return {
        "kept": kept.as_dict(),
        "attacks": {
            name: {
                "title": titles[name],
                "decides": one.can_pass,
                "kept": one.as_dict(),
                "contrasts": _contrasts(everything[name]),
            }
            for name, one in others
        },
        "not_made": {titles.get(name, name): reason for name, reason in not_made.items()},
        "contrasts": _contrasts(measured),
        "alpha": measured.alpha,
        "instance_p": measured.instance_p,
        "utility": asdict(measured.utility) if measured.utility else None,
        "findings": list(measured.findings),
        "records_without_signal": list(records_without_signal(kept.before, measured.alpha)),
        "for_the_person": for_the_person(verdict.outcome, everything, policy),
        "pass_in_numbers": pass_in_numbers(verdict.outcome, everything, policy),
        "power": {level.value: asdict(one) for level, one in measured.power.items()},
        "power_curve": power_points(kept, policy),
        "hypotheses": _hypotheses(measured),
        "strength": asdict(strength_of(attacks, policy)) if verdict.outcome in PASSES else None,
        "attempt": kept.attempt,
        "earlier_attempts": list(earlier),
        "paths": _paths(kept, policy),
        "not_run": [asdict(one) for one in not_run(ran(attacks, not_made, policy), titles)],
    }


def effect_of(pairs: Sequence[tuple[float | None, float | None]], alpha: float) -> dict[str, Any]:
    """Return what unlearning did to the records that stay, or why that was not computed.

    ``pairs`` are how far retained records stood out before and after it, of each shadow model.
    """
    if not pairs or any(None in pair for pair in pairs):
        reason = f"Fewer than {SMALLEST_RETAINED} retained records, or none to compare with."
        return {"not_computed": reason}
    earlier, later = np.array(pairs, np.float64).T
    found = side_effect(earlier, later, alpha)
    assert found is not None  # noqa: S101  (a look has more than one model)
    return asdict(found)


def comparisons(scores: ShadowScores, *, seed: int) -> list[dict[str, Any]]:
    """Return how far unlearned are from retrained models beside the same among retrained ones.

    Shown, and never decisive; nothing where no models were retrained to compare with.
    """
    if scores.retrained is None:
        return []
    unlearned = scores.after[scores.member]
    told: list[dict[str, Any]] = []
    for name, attack in of_kind(ModelComparison).items():
        try:
            found = attack().compare(unlearned, scores.retrained, seed=seed)
        except TooFewToCompare as reason:
            told.append({"attack": name, "title": attack.title, "not_computed": str(reason)})
            continue
        told.append(
            {
                "attack": name,
                "title": attack.title,
                "percentile": found.average_percentile,
                "models": found.models,
            }
        )
    return told


def ran(
    attacks: Mapping[str, Kept], not_made: Mapping[str, str], policy: EvidencePolicy
) -> set[str]:
    """Return what needs no reason for not being run: it was, or its own reason is given."""
    compared = of_kind(ModelComparison) if policy.equivalence else ()
    return {"population", *attacks, *not_made, *compared}


def power_points(kept: Kept, policy: EvidencePolicy) -> list[dict[str, Any]]:
    """Return what is drawn of the power at each number of models; empty where none is known."""
    return [
        {
            "level": level.value,
            "models_per_arm": one.models_per_arm,
            "planned": one.planned,
            **asdict(one.power),
        }
        for level, points in power_curve(kept, policy).items()
        for one in points
    ]


def _contrasts(measured: Measurements) -> dict[str, Any]:
    found = {"before": measured.before, "leak": measured.leak}
    if measured.equivalence:
        found["equivalence"] = measured.equivalence
    return {name: _levels(one) for name, one in found.items()}


def _levels(contrast: Contrast) -> dict[str, Any]:
    return {level.value: asdict(estimate) for level, estimate in contrast.levels()}


def _hypotheses(measured: Measurements) -> list[dict[str, Any]]:
    return [
        {"level": one.level.value, "part": one.part, "p": one.p} for one in measured.hypotheses
    ]


def _paths(kept: Kept, policy: EvidencePolicy) -> dict[str, Any]:
    """Return the logarithms of both bets after every pair; empty where looks are planned."""
    if policy.mode is Mode.LOOKS:
        return {}
    return {
        name: {
            level.value: [
                {side: [round(value, DIGITS) for value in values] for side, values in one.items()}
                for one in map(asdict, found)
            ]
            for level, found in paths(contrast, policy).items()
        }
        for name, contrast in (("before", kept.before), ("leak", kept.leak))
    }
