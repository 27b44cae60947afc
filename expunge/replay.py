"""Draw again what a captured training drew, from what was stored of its sampler."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

from expunge.seeds import list_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Sampler: TypeAlias = Any  # of torch
Generator: TypeAlias = Any


class ReplayNotPossible(ValueError):
    """The order cannot be drawn again from what is stored and given."""


def passes(
    stored: Mapping[str, Any],
    *,
    weights: Sequence[float] | None = None,
    indices: Sequence[int] | None = None,
) -> Iterator[list[int]]:
    """Yield the dataset positions of each pass, in the order drawn, as if none was cut short.

    Args:
        stored: ``Run.sampler``.
        weights: of a WeightedRandomSampler; only their digest is stored.
        indices: of a SubsetRandomSampler; only their digest is stored.

    Raises:
        ReplayNotPossible: the sampler is not one of torch's, or these are not its weights or
            indices.
    """
    given = {"weights": weights, "indices": indices}
    for name, values in given.items():
        if f"{name}_digest" in stored:
            _check(name, values, stored[f"{name}_digest"])
    for moment in stored["passes"]:
        sampler = _sampler(stored, given, _generator(moment))
        if "epoch" in moment and hasattr(sampler, "set_epoch"):
            sampler.set_epoch(moment["epoch"])
        drawn = list(sampler)
        size = stored["batch_size"]
        yield drawn[: len(drawn) // size * size] if stored["drop_last"] and size else drawn


def _check(name: str, values: Sequence[float] | None, digest: str) -> None:
    if values is None or list_digest(values) != digest:
        raise ReplayNotPossible(
            f"The {name} given are not those of the training: their digest is not {digest}. "
            f"Give {name}=... as the training had them."
        )


def _generator(moment: Mapping[str, Any]) -> Generator:
    import torch  # noqa: PLC0415  (optional)

    generator = torch.Generator()
    if "state" in moment:
        raw = zlib.decompress(base64.b64decode(moment["state"]))
        generator.set_state(torch.frombuffer(bytearray(raw), dtype=torch.uint8))
    else:
        generator.manual_seed(moment.get("inner_seed", moment.get("seed", 0)))
    return generator


def _sampler(stored: Mapping[str, Any], given: Mapping[str, Any], generator: Generator) -> Sampler:
    from torch.utils import data  # noqa: PLC0415  (optional)

    size: Any = range(stored["dataset_size"])
    shape: dict[str, Any] = {name: stored.get(name) for name in ("num_samples", "replacement")}
    spread = {name: value for name, value in stored["distributed"].items() if name != "epoch"}
    makers: dict[str, Callable[[], Sampler]] = {
        "SequentialSampler": lambda: data.SequentialSampler(size),
        "RandomSampler": lambda: data.RandomSampler(size, generator=generator, **shape),
        "SubsetRandomSampler": lambda: data.SubsetRandomSampler(given["indices"], generator),
        "WeightedRandomSampler": lambda: data.WeightedRandomSampler(
            given["weights"], generator=generator, **shape
        ),
        "DistributedSampler": lambda: data.DistributedSampler(size, **spread),
    }
    if stored["class"] not in makers:
        raise ReplayNotPossible(
            f"The sampler was {stored['class']}; those that can be replayed are "
            f"{', '.join(makers)}."
        )
    return makers[stored["class"]]()
