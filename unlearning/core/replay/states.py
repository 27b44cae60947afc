"""States of a training as bytes: tensors and JSON, nothing that could run.

A state is always read anew from its bytes. One kept in memory and loaded twice would be wrong the
second time, as an optimiser goes on working in the tensors that it was given.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from lineage.core import weights
from unlearning.core.seeding import random_state, restore_random_state

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.phase import Phase

TREE = "tree"


class StateUnreadable(ValueError):
    """The bytes are not a state, or not the one that was kept."""


class NotKeepable(TypeError):
    """Something in a state is neither a tensor nor plain data."""


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that the steps from ``step`` of a phase on depend on."""

    phase: int
    step: int
    model: dict[str, Any]
    optimizer: dict[str, Any]
    companions: dict[str, dict[str, Any]]
    random: dict[str, Any]

    @classmethod
    def of(
        cls, model: nn.Module, phase: Phase, device: torch.device, at: tuple[int, int]
    ) -> State:
        """Return the state as it is now; its tensors are those in use until ``to_bytes``."""
        return cls(
            phase=at[0],
            step=at[1],
            model=dict(model.state_dict()),
            optimizer=phase.optimizer.state_dict(),
            companions={name: each.state_dict() for name, each in phase.companions.items()},
            random=random_state(device),
        )

    def put_into(self, model: nn.Module, phase: Phase, device: torch.device) -> None:
        """Bring model, optimiser, companions and random state into this state.

        To be called once: the optimiser keeps these very tensors.
        """
        model.load_state_dict(self.model)
        phase.optimizer.load_state_dict(self.optimizer)
        for name, each in phase.companions.items():
            each.load_state_dict(self.companions[name])
        restore_random_state(self.random, device)

    def to_bytes(self) -> bytes:
        """Return a safetensors file, in which one tensor holds the rest as JSON.

        Raises:
            NotKeepable: an optimiser or companion holds something that is no plain data.
        """
        tensors: dict[str, torch.Tensor] = {}
        tree = _flattened(vars(self), tensors)
        text = json.dumps(tree, separators=(",", ":")).encode()
        tensors[TREE] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
        return weights.to_bytes(tensors)

    @classmethod
    def from_bytes(cls, content: bytes) -> State:
        """Return a state that shares no memory with anything.

        Raises:
            StateUnreadable: the bytes are no state.
        """
        try:
            tensors = {name: each.clone() for name, each in weights.from_bytes(content).items()}
            tree = json.loads(tensors.pop(TREE).numpy().tobytes())
            return cls(**_restored(tree, tensors))
        except (weights.WeightsUnreadable, KeyError, TypeError, ValueError) as problem:
            raise StateUnreadable(f"{len(content)} bytes are no state: {problem}") from problem


def model_digest(model: nn.Module) -> str:
    """Return the SHA-256, in hex, of the weights and buffers as they would be stored."""
    return hashlib.sha256(weights.to_bytes(model.state_dict())).hexdigest()


def _flattened(value: Any, tensors: dict[str, torch.Tensor]) -> Any:  # noqa: ANN401  (any tree)
    """Return a tree as JSON, its tensors moved to ``tensors`` and named by number."""
    if isinstance(value, torch.Tensor):
        name = f"{len(tensors):06d}"
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[key, _flattened(each, tensors)] for key, each in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_flattened(each, tensors) for each in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise NotKeepable(
        f"A state may hold tensors, numbers, strings, None, and lists, tuples and dictionaries of "
        f"them, and this one holds a {type(value).__name__}."
    )


def _restored(tree: Any, tensors: dict[str, torch.Tensor]) -> Any:  # noqa: ANN401  (as above)
    if not isinstance(tree, dict):
        return tree
    ((kind, held),) = tree.items()
    if kind == "tensor":
        return tensors[held]
    if kind == "dict":
        return {key: _restored(each, tensors) for key, each in held}
    items = [_restored(each, tensors) for each in held]
    return items if kind == "list" else tuple(items)
