"""How a verdict is worded: no stronger than what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.estimates import Level

if TYPE_CHECKING:
    from audits.core.estimates import Contrast, Estimate, Measurements

NOT_COVERED = (
    "Not covered: attackers who read the weights, attacks that were not run, copies outside the "
    "lineage graph, and a dishonest operator."
)


def about(attack: str, sentence: str) -> str:
    """Return a sentence with the name of the attack that it is about, where it has one."""
    return f"{attack}: {sentence}" if attack else sentence


def name(level: Level) -> str:
    """Return a level as a sentence begins with it."""
    return level.words.capitalize()


def models(found: Estimate) -> str:
    """Return how many models an estimate stands on."""
    return f"judged on {found.n_in} against {found.n_out} models"


def confidence(measured: Measurements) -> str:
    """Return the confidence of one bound in words."""
    return f"with {100 * (1 - measured.alpha):.3g} % confidence"


def everybody(level: Level, measured: Measurements) -> str:
    """Return of whom a lower bound is, where it is of the subject of whom least was seen."""
    several = level is Level.SUBJECT and measured.least_seen is not None
    return " for every subject" if several else ""


def claim(level: Level, measured: Measurements) -> str:
    """Return what a pass claims at one level, and about whom."""
    leak, seen = measured.leak.at(level), measured.seen(level)
    return (
        f"{name(level)}: {confidence(measured)}, over the randomness of training and "
        f"unlearning, an attacker who reads probabilities and knows the record and its label, "
        f"using the attack fitted to these shadow models, tells 'was trained on, then unlearned' "
        f"from 'never was' with an advantage of at most {leak.upper:.3f} (right at most "
        f"{50 + 50 * leak.upper:.1f} % of the time); before unlearning it had at least "
        f"{seen:.3f}{everybody(level, measured)} ({models(leak)})."
    )


def distance(level: Level, equal: Contrast, measured: Measurements) -> str:
    """Return how far the unlearned models are from retrained ones at one level."""
    upper = equal.at(level).upper
    return (
        f"{name(level)}: {confidence(measured)}, told from a retrained model with an advantage of "
        f"at most {upper:.3f}."
    )


def attainable(level: Level, margin: float, measured: Measurements) -> str:
    """Return what so many models can show of a level at all."""
    found, power = measured.leak.at(level), measured.power[level]
    arm = min(found.n_in, found.n_out)
    side = "above" if power.smallest_bound > margin else "within"
    best = (
        f"{name(level)}: with {arm} judged models per arm this audit could at best bound the "
        f"advantage at {power.smallest_bound:.3f}, {side} the margin {margin:.2f}"
    )
    if power.detectable is None:
        return f"{best}."
    return (
        f"{best}; a leak above the margin shows in 80 % of audits from an advantage of "
        f"{power.detectable:.3f} on."
    )


def owes(measured: Measurements) -> str:
    """Return by how much a pass is dearer after the attempts before it."""
    return (
        f"This is attempt {measured.attempt} on the same records of the same version. It "
        f"continues the bets of those before it, which lost, are open or spent all: it must win "
        f"exp({measured.debt:.1f}) times what a first attempt must to pass."
    )
