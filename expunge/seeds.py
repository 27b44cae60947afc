"""How a loader draws, in few enough words to be stored: seeds and states, never an order."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Any, TypeAlias

import numpy as np

# Torch is optional here, so its types have names only.
Loader: TypeAlias = Any  # torch.utils.data.DataLoader
Sampler: TypeAlias = Any  # a sampler or a batch sampler
Generator: TypeAlias = Any  # torch.Generator or None
State: TypeAlias = Any  # a tensor of bytes

_DISTRIBUTED = ("rank", "num_replicas", "seed", "epoch", "shuffle", "drop_last")
_SIZES = ("num_samples", "replacement")
_LISTS = ("weights", "indices")


def sampler_of(loader: Loader) -> Sampler:
    """Return what chooses the positions, below the batches."""
    batches = loader.batch_sampler
    return getattr(batches, "sampler", loader.sampler if batches is None else batches)


def described(loader: Loader) -> dict[str, Any]:
    """Return how a loader draws: with ``passes``, enough to draw the same again."""
    sampler = sampler_of(loader)
    batches = loader.batch_sampler
    return {
        "class": type(sampler).__name__,
        "batch_size": getattr(batches, "batch_size", None),
        "drop_last": getattr(batches, "drop_last", None),
        "num_workers": loader.num_workers,
        "dataset_size": len(loader.dataset),
        # With workers, batches are drawn ahead: after an early stop a few too many are recorded.
        "may_exceed_consumed": loader.num_workers > 0,
        "distributed": {
            name: getattr(sampler, name)
            for name in _DISTRIBUTED
            if hasattr(sampler, "num_replicas")
        },
        **_shape(sampler),
        **_generator(getattr(sampler, "generator", None), loader.generator),
    }


def _shape(sampler: Sampler) -> dict[str, Any]:
    """Describe what a replay must be given again: weights and indices are told by digest."""
    found = {name: getattr(sampler, name) for name in _SIZES if hasattr(sampler, name)}
    for name in _LISTS:
        if hasattr(sampler, name):
            found[f"{name}_digest"] = list_digest(getattr(sampler, name))
    return found


def list_digest(values: Any) -> str:  # noqa: ANN401  (a tensor or a sequence of numbers)
    """Return the SHA-256 of numbers as little-endian float64, in hexadecimal."""
    return hashlib.sha256(np.asarray(values, dtype="<f8").tobytes()).hexdigest()


def _generator(own: Generator, shared: Generator) -> dict[str, Any]:
    """Describe where the order comes from.

    A DataLoader draws one number per epoch from its own generator before the sampler draws, so
    it matters for a replay whether the two share one.
    """
    generator = shared if own is None else own
    if generator is None:
        import torch  # noqa: PLC0415  (there is a loader, so torch is imported already)

        state = _state_digest(torch.get_rng_state())
        return {"generator": "global", "seed": None, "generator_state": state}
    return {
        "generator": "loader" if generator is shared else "sampler",
        "seed": generator.initial_seed(),
        "generator_state": _state_digest(generator.get_state()),
    }


def _state_digest(state: State) -> str:
    return hashlib.sha256(state.numpy().tobytes()).hexdigest()


def moment(sampler: Sampler) -> dict[str, Any]:
    """Return what decides the order of the pass that begins now, without drawing anything.

    * ``epoch`` of a sampler that shuffles by it;
    * ``inner_seed``: what a RandomSampler without a generator is about to draw as its seed;
    * ``seed``: of a generator from which nothing was drawn since it was seeded;
    * ``state``: of any other generator, base64 of its zlib-compressed bytes.
    """
    if hasattr(sampler, "epoch"):
        return {"epoch": int(sampler.epoch)}
    if not hasattr(sampler, "generator"):
        return {}  # nothing random, or nothing that this module knows
    import torch  # noqa: PLC0415  (there is a sampler, so torch is imported already)

    if sampler.generator is None and type(sampler).__name__ == "RandomSampler":
        return {"inner_seed": _next_seed()}
    generator = torch.default_generator if sampler.generator is None else sampler.generator
    state = generator.get_state()
    fresh = torch.Generator(device=generator.device)
    fresh.manual_seed(generator.initial_seed())
    if torch.equal(state, fresh.get_state()):
        return {"seed": generator.initial_seed()}
    return {"state": base64.b64encode(zlib.compress(state.numpy().tobytes())).decode()}


def _next_seed() -> int:
    import torch  # noqa: PLC0415  (as above)

    kept = torch.get_rng_state()
    seed = int(torch.empty((), dtype=torch.int64).random_().item())
    torch.set_rng_state(kept)
    return seed
