"""The chance of a private training: drawn from a secret, and from nothing that is stored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from unlearning.core.private.terms import PrivacyRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

LEAST = 16  # bytes of a secret


class Draws:
    """Who is in a step, how its examples are varied, and its noise: a function of the secret.

    torch's generator on the processor has 32 bits of seed, few enough to try all of them; these
    streams (PCG-64) are seeded with 128 bits or more. They are no cryptographic generator.
    """

    def __init__(self, secret: bytes | None) -> None:
        """Take a secret.

        Raises:
            PrivacyRefused: there is none, or it is short.
        """
        if secret is None or len(secret) < LEAST:
            raise PrivacyRefused(
                f"A private training needs a secret of {LEAST} bytes or more in its session, "
                "which decides its noise and must be forgotten: "
                "Session(secret=secrets.token_bytes(32))."
            )
        self._who = _stream(secret, "who")
        self._noise = _stream(secret, "noise")
        self._varied = _stream(secret, "varied")

    def people(self, count: int, rate: float) -> NDArray[np.int64]:
        """Return who is in the next step, each of ``count`` by the same chance."""
        return np.flatnonzero(self._who.random(count) < rate)

    def seed(self) -> int:
        """Return the next seed of torch, for augmentation and dropout in a step."""
        return int(self._varied.integers(2**63))

    def noise(self, like: Tensor, deviation: float) -> Tensor:
        """Return the next noise: normal, of the shape, type and device of ``like``."""
        drawn = torch.from_numpy(self._noise.standard_normal(tuple(like.shape)) * deviation)
        return drawn.to(like)


def _stream(secret: bytes, label: str) -> np.random.Generator:
    seed = hashlib.sha256(label.encode() + b"\0" + secret).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))


def numbered(people: Sequence[int] | None, size: int) -> NDArray[np.int64]:
    """Return whose each of ``size`` examples is, the people numbered from 0; None: all different.

    Raises:
        PrivacyRefused: ``people`` is of another length.
    """
    if people is None:
        return np.arange(size)
    if len(people) != size:
        raise PrivacyRefused(
            f"The session says whose {len(people)} examples are, and there are {size}."
        )
    return np.unique(np.asarray(people, dtype=np.int64), return_inverse=True)[1]
