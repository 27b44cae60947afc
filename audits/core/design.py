"""Who learns what: the twin-split design of a shadow experiment, fixed before any training.

Half of the models learn what a subject asks to forget, half its twins; every canary is learned by
exactly half of the models. Where one pool of models serves several subjects, each is drawn by
itself: every model learns about half of them. Later looks add models and change none.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from audits.core.canonical import sha256, write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags: TypeAlias = NDArray[np.bool_]

SEED_BITS = 63
FEW_MODELS = 16
CANARIES = 8


class DesignRefused(ValueError):
    """The numbers of a design do not make sense."""


def derived_seed(seed: int, *path: str | int) -> int:
    """Return a seed in [0, 2**63) that depends on the whole path and on nothing else."""
    digest = hashlib.sha256(write_json([str(seed), *path])).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def canaries_for(looks: tuple[int, ...], *, compared: bool) -> int:
    """Return how many canaries to plant.

    One where the deployed model, which has none, is ``compared`` with these models: each one more
    makes honest models stand out more often (``tests/battery``, check 1). Eight where it is not,
    or where the first look has too few models for one canary to be a control.
    """
    return 1 if compared and looks[0] >= FEW_MODELS else CANARIES


@dataclass(frozen=True, kw_only=True)
class TwinDesign:
    """The twin-split design.

    Attributes:
        seed: everything below follows from it.
        looks: models per arm at each look, cumulative.
        canaries: how many mislabelled records are planted as a positive control.
        subjects: how many subjects, whose records go together, share the models.
    """

    seed: int
    looks: tuple[int, ...] = (16, 32)
    canaries: int = 0
    subjects: int = 1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            DesignRefused: the sentence names the field, the value and what is allowed.
        """
        if not self.looks or self.looks[0] < 1:
            raise DesignRefused(f"looks is {self.looks!r}; it needs at least one model per arm.")
        if any(later <= earlier for earlier, later in pairwise(self.looks)):
            raise DesignRefused(f"looks is {self.looks!r}; each must exceed the one before.")
        if self.canaries < 0:
            raise DesignRefused(f"canaries is {self.canaries}; it must be 0 or more.")
        if self.subjects < 1:
            raise DesignRefused(f"subjects is {self.subjects}; it must be 1 or more.")

    @property
    def models(self) -> int:
        """Return the number of models at the last look, both arms together."""
        return 2 * self.looks[-1]

    @property
    def member(self) -> Flags:
        """Return whether each model learns the first subject's records, shape [models]."""
        return self.learns[:, 0]

    @cached_property
    def learns(self) -> Flags:
        """Return whether each model learns each subject's records, shape [models, subjects]."""
        steps = [
            np.column_stack([self._split(look, size, one) for one in range(self.subjects)])
            for look, size in enumerate(self._steps())
        ]
        return np.concatenate(steps)

    @cached_property
    def canary_member(self) -> Flags:
        """Return which model learns which canary, shape [models, canaries].

        Exactly half of the models that a look adds learn a canary, drawn regardless of the arms.
        Balancing the arms as well would make a held-out model differ from the rest of its own arm
        wherever a canary sways a score, and the attack would do worse than chance on models that
        do not differ at all.
        """
        blocks = [self._planted(look, size) for look, size in enumerate(self._steps())]
        return np.concatenate(blocks)

    def model_seed(self, model: int, purpose: str) -> int:
        """Return the seed of one model for one purpose, such as ``train`` or ``unlearn``."""
        return derived_seed(self.seed, "model", model, purpose)

    def digest(self) -> str:
        """Return the SHA-256 of the design's canonical JSON, with all that follows from it."""
        alone = self.subjects == 1  # then the digest is that of before there were several
        values = {
            **asdict(self),
            "seed": str(self.seed),
            "looks": list(self.looks),
            "member": (self.member if alone else self.learns).astype(int).tolist(),
            "canary_member": self.canary_member.astype(int).tolist(),
        }
        if alone:
            del values["subjects"]
        return sha256(write_json(values))

    def _steps(self) -> tuple[int, ...]:
        """Return how many models per arm each look adds."""
        return tuple(later - earlier for earlier, later in pairwise((0, *self.looks)))

    def _split(self, look: int, size: int, subject: int) -> Flags:
        path = (look, subject) if subject else (look,)
        rng = np.random.default_rng(derived_seed(self.seed, "member", *path))
        return np.asarray(rng.permutation(2 * size) < size, np.bool_)

    def _planted(self, look: int, size: int) -> Flags:
        """Return who learns which canary among the models of one look, [2 * size, canaries]."""
        learned = np.empty((2 * size, self.canaries), bool)
        for canary in range(self.canaries):
            rng = np.random.default_rng(derived_seed(self.seed, "canary", look, canary))
            learned[:, canary] = rng.permutation(2 * size) < size
        return learned
