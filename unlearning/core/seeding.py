"""Randomness that is repeatable and stays inside.

Seeds are derived by hashing, never by adding: ``derive(seed, "step", 17)`` depends on nothing
that happened before step 17, so a run can be taken up anywhere and give the same bits.
"""

from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


def derive(seed: int, *labels: str | int) -> int:
    """Return a seed of 63 bits that is unrelated to that of any other labels."""
    digest = hashlib.sha256()
    for part in (seed, *labels):
        text = f"{type(part).__name__}:{part}".encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def reseed(seed: int, device: torch.device) -> None:
    """Seed torch on the processor and on the one device in use."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextmanager
def isolated(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch, NumPy and Python for the body, then restore the caller's random state.

    A generator passed by hand would not do: weight initialisation and dropout always draw from
    torch's global state, and some augmentation libraries from NumPy's or Python's.
    """
    devices = [device] if device.type == "cuda" else []
    ours, theirs = random.getstate(), np.random.get_state()  # noqa: NPY002  (the global one is meant)
    try:
        with torch.random.fork_rng(devices=devices):
            reseed(seed, device)
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002  (as above)
            yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)  # noqa: NPY002  (as above)


def random_state(device: torch.device) -> dict[str, Any]:
    """Return the state of every generator that ``isolated`` guards, as tensors and numbers."""
    version, internal, gauss = random.getstate()
    numpy: dict[str, Any] = np.random.get_state(legacy=False)  # noqa: NPY002  (as above)
    words = torch.from_numpy(numpy["state"]["key"].astype(np.int64))
    return {
        "torch": torch.get_rng_state(),
        "device": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "python": (version, torch.tensor(internal, dtype=torch.int64), gauss),
        "numpy": (words, numpy["state"]["pos"], numpy["has_gauss"], numpy["gauss"]),
    }


def restore_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Bring every generator into a state that ``random_state`` returned."""
    version, internal, gauss = state["python"]
    words, *rest = state["numpy"]
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["device"] is not None:
        torch.cuda.set_rng_state(state["device"], device)
    random.setstate((version, tuple(internal.tolist()), gauss))
    np.random.set_state(("MT19937", words.numpy().astype(np.uint32), *rest))  # noqa: NPY002  (as above)
