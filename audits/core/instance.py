"""The models of an instance test, beside a certificate or a pool that learns surrogates.

They never saw the person: each learns the retain set and twins of the person's records, unlearns
the twins by the audited procedure and is compared with the deployed model. So under the null
hypothesis that unlearning left nothing, they and the deployed model are draws of one kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.canonical import sha256, write_json
from audits.core.design import TwinDesign, derived_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from audits.core.policy import EvidencePolicy

    Flags: TypeAlias = NDArray[np.bool_]


def models_needed(policy: EvidencePolicy) -> int:
    """Return how many never-seen models the instance test takes: enough to be able to fail.

    The p-value of n models is at least 1 / (n + 1), which has to lie below ``alpha_instance``: 20
    models for 5 %. Not fewer than one arm has at the first look. The policy's ``max_trainings``
    does not count them: it is about the arms of a pool, and a certificate has none.
    """
    enough = 1
    while 1 / (enough + 1) >= policy.alpha_instance:
        enough += 1
    return max(enough, policy.looks[0])


@dataclass(frozen=True, kw_only=True)
class InstanceDesign(TwinDesign):
    """Models of which none learns the records, without canaries, as the deployed model has none.

    Attributes:
        instances: how many; there are no looks.
    """

    instances: int

    @property
    def models(self) -> int:
        """Return the number of models."""
        return self.instances

    @cached_property
    def learns(self) -> Flags:
        """Return whether each model learns the forget set, shape [models, 1]: none does."""
        return np.zeros((self.instances, 1), np.bool_)

    @cached_property
    def canary_member(self) -> Flags:
        """Return which model learns which canary, shape [models, 0]."""
        return np.zeros((self.instances, 0), np.bool_)

    def model_seed(self, model: int, purpose: str) -> int:
        """Return the seed of one model for one purpose, such as ``train`` or ``unlearn``."""
        return derived_seed(self.seed, "instance", model, purpose)

    def digest(self) -> str:
        """Return the SHA-256 of the design's canonical JSON."""
        return sha256(write_json({"seed": str(self.seed), "instances": self.instances}))
