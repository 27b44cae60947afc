"""What an unlearning run did, as the evidence will quote it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class UnlearningReport:
    """Facts about one run; counts and names only, nothing about any person.

    ``edited`` counts single weights changed by the step that sets the method apart (None where
    it has none), ``trained`` those that differ from the original model in the end, of
    ``parameters`` in all. ``layers`` names the parameter tensors among them. ``read`` names the
    sets that were actually read. ``seconds`` is wall time.
    """

    method: str
    hyperparameters: dict[str, Any]
    guarantee: str
    seed: int
    edited: int | None
    trained: int
    parameters: int
    layers: tuple[str, ...]
    read: tuple[str, ...]
    stop_reason: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return {**asdict(self), "layers": list(self.layers), "read": list(self.read)}
