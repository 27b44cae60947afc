"""Nobody audits again until it passes: what earlier attempts lost is carried over.

Attempts are audits of the same version and records, whatever the method and its settings. In the
mode ``looks`` the first one may spend all of the policy's error, so later ones cannot pass. In
the mode ``sequential`` a later one continues the bet of those before it. It begins with what they
lost and never with what they won, so the error of a pass holds for each attempt by itself, too:
if all attempts leak more than the margin, the product of their bets is a fair bet, and the
probability that any of them ever passes is at most alpha (Ville 1939).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audits.core.estimates import Level
from audits.core.levels import subjects, whole_set
from audits.core.sequential import path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audits.core.kept import Kept, KeptContrast
    from audits.core.policy import EvidencePolicy
    from audits.core.sequential import Path

OPEN = 700.0  # what no later attempt can win back


def paths(kept: KeptContrast, policy: EvidencePolicy) -> dict[Level, tuple[Path, ...]]:
    """Return the bets about the record average and about each subject, after every pair."""
    average = path(
        np.array(kept.averages_in),
        np.array(kept.averages_out),
        policy.margin(Level.RECORD_AVERAGE),
    )
    of_subjects = tuple(
        path(sums.right_in, sums.right_out, policy.margin(Level.SUBJECT))
        for sums in (*subjects(kept), *((whole_set(kept),) if kept.subjects_in else ()))
    )
    return {Level.RECORD_AVERAGE: (average,), Level.SUBJECT: of_subjects}


def lost(kept: Kept, policy: EvidencePolicy) -> float:
    """Return what the worst bet of an attempt lost, as a logarithm; zero if none did."""
    ends = [
        one.against_leak[-1]
        for level, found in paths(kept.leak, policy).items()
        if level in policy.levels or level is Level.SUBJECT
        for one in found
    ]
    return max(0.0, -min(ends))


def debt(earlier: Iterable[Kept | None], policy: EvidencePolicy) -> float:
    """Return what an attempt owes for those before it, in their order.

    Args:
        earlier: the numbers of each attempt's last look; None while it is open, and where its
            looks shared the error: then nothing of that is left.
        policy: the rules of the attempt that follows.
    """
    owed = sum(OPEN if kept is None else lost(kept, policy) for kept in earlier)
    return min(OPEN, owed)
