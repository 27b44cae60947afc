"""Synthetic shadow experiments whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audits.core.contrast import keep
from audits.core.policy import AuditData, EvidencePolicy
from audits.core.shadow_scores import Accuracies, Canaries, ShadowScores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.kept import Kept

UNLEARNED = 1.2  # a natural digit's shift, in standard deviations, before unlearning


@dataclass(frozen=True, kw_only=True)
class World:
    """Gaussian scores: ``before`` and ``after`` are the members' shifts in standard deviations.

    ``correlation`` is that of two records under one model; ``drift`` moves both arms after
    unlearning away from retrained models.
    """

    models: int
    records: int = 32
    before: float = UNLEARNED
    after: float = 0.0
    correlation: float = 0.02
    drift: float = 0.0
    retrained: bool = False
    accuracy_after: float = 0.95

    @property
    def member(self) -> NDArray[np.bool_]:
        return np.asarray(np.arange(2 * self.models) % 2 == 0)

    def draw(self, seed: int) -> ShadowScores:
        rng = np.random.default_rng(seed)
        n = 2 * self.models
        inside = self.member[:, None]
        return ShadowScores(
            before=self.noise(rng, n) + self.before * inside,
            after=self.noise(rng, n) + self.after * inside + self.drift,
            member=self.member,
            retrained=self.noise(rng, self.models) if self.retrained else None,
            accuracies=Accuracies(
                retained_before=rng.normal(0.99, 0.002, n),
                retained_after=rng.normal(0.99, 0.002, n),
                test_before=rng.normal(0.95, 0.005, n),
                test_after=rng.normal(self.accuracy_after, 0.005, n),
            ),
        )

    def noise(self, rng: np.random.Generator, models: int) -> NDArray[np.float64]:
        own = rng.normal(size=(models, self.records))
        shared = rng.normal(size=(models, 1))
        return np.asarray(np.sqrt(1 - self.correlation) * own + np.sqrt(self.correlation) * shared)

    def policy(self) -> EvidencePolicy:
        return policy_at(self.models)

    def kept(self, seed: int) -> Kept:
        return kept_from(self.draw(seed), seed)


def kept_from(scores: ShadowScores, seed: int = 0) -> Kept:
    index = np.random.default_rng(seed).permutation(scores.before.shape[1])
    return keep(scores, seed=seed, index=index)


def policy_at(models: int, **changes: object) -> EvidencePolicy:
    settings = {
        "looks": (models,),
        "max_trainings": 2 * models,
        "audit_data": AuditData.OWN_RECORDS,
        **changes,
    }
    return EvidencePolicy(**settings)  # type: ignore[arg-type]  # settings of a test


def planted_canaries(models: int, count: int, shift: float, seed: int) -> Canaries:
    rng = np.random.default_rng(seed)
    member = np.array([rng.permutation(models) < models // 2 for _ in range(count)]).T
    return Canaries(scores=rng.normal(size=(models, count)) + shift * member, member=member)
