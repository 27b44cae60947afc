"""Weights as safetensors bytes; the only module of lineage that imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors import SafetensorError
from safetensors import torch as safetensors_torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class WeightsUnreadable(ValueError):
    """The bytes are not a safetensors file."""


def to_bytes(state: Mapping[str, torch.Tensor]) -> bytes:
    """Return the tensors of a state dictionary as a safetensors file.

    Equal tensors under equal names give equal bytes, whatever the order of the dictionary, the
    memory layout or the device. Tensors that share memory are stored once each.
    """
    own = {name: state[name].detach().to("cpu", copy=True).contiguous() for name in sorted(state)}
    payload: bytes = safetensors_torch.save(own)
    return payload


def from_bytes(payload: bytes) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file, on the CPU.

    Raises:
        WeightsUnreadable: the bytes are something else; nothing in them is ever executed.
    """
    try:
        state: dict[str, torch.Tensor] = safetensors_torch.load(payload)
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsUnreadable(f"{len(payload)} bytes are not safetensors: {error}") from error
    return state
