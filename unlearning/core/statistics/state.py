"""Statistics with the erasures that were taken out of them, as one value and one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import rfc8785
from safetensors import SafetensorError
from safetensors.numpy import load, save

from unlearning.core.statistics.gaussian import GaussianBayes
from unlearning.core.statistics.multinomial import MultinomialBayes
from unlearning.core.statistics.neighbours import Neighbours
from unlearning.core.statistics.ridge import Ridge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unlearning.core.statistics.counters import Counters, Integers
    from unlearning.core.statistics.model import IntegerModel

MODELS: dict[str, type[IntegerModel]] = {
    cls.kind: cls for cls in (GaussianBayes, MultinomialBayes, Neighbours, Ridge)
}


class NotStatistics(ValueError):
    """Bytes are not the statistics of a model that is known here."""


class OperationReused(ValueError):
    """Two erasures have the same id, and one of them would be lost."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A model, its statistics, and the erasures that they no longer hold.

    ``operations`` maps the id of each erasure that was taken out to its number of records. As it
    is stored with the statistics, in one file, an erasure that is begun again after a crash is
    either not in them or known to be out: it cannot be taken out twice.
    """

    model: IntegerModel
    counters: Counters
    operations: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: IntegerModel) -> State:
        """Return the state of a model that has seen no record."""
        return cls(model=model, counters=model.empty())

    def added(self, rows: Integers, targets: Integers) -> State:
        """Return the state with these records, too; see ``IntegerModel.added``."""
        return replace(self, counters=self.model.added(self.counters, rows, targets))

    def removed(self, rows: Integers, targets: Integers, *, operation: str | None) -> State:
        """Return the state without these records, or this one if the operation is known already.

        Without an operation the records are taken out at every call.

        Raises:
            OperationReused: the id is known, for another number of records.
            NeverAdded: the records cannot all have been added.
        """
        if operation is not None and operation in self.operations:
            self._check_same(operation, len(rows))
            return self
        left = self.model.removed(self.counters, rows, targets)
        known = {} if operation is None else {operation: len(rows)}
        return replace(self, counters=left, operations={**self.operations, **known})

    def to_bytes(self) -> bytes:
        """Return the state as safetensors, what is no array in its header as JSON."""
        about: dict[str, Any] = {
            "kind": self.model.kind,
            "settings": asdict(self.model),
            "operations": dict(self.operations),
        }
        arrays = {
            name: np.ascontiguousarray(self.counters[name]) for name in sorted(self.counters)
        }
        payload: bytes = save(arrays, metadata={"state": rfc8785.dumps(about).decode()})
        return payload

    @classmethod
    def from_bytes(cls, payload: bytes) -> State:
        """Return the state that was stored; nothing in the bytes is ever executed.

        Raises:
            NotStatistics: they are something else.
        """
        try:
            counters = load(payload)
            size = int.from_bytes(payload[:8], "little")
            about = json.loads(json.loads(payload[8 : 8 + size])["__metadata__"]["state"])
            model = _model(about["kind"], about["settings"])
            operations = {str(key): int(many) for key, many in about["operations"].items()}
        except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise NotStatistics(
                f"The {len(payload)} bytes are not the statistics of a model: {problem}."
            ) from problem
        _check_shapes(model, counters)
        return cls(model=model, counters=counters, operations=operations)

    def _check_same(self, operation: str, records: int) -> None:
        if self.operations[operation] != records:
            raise OperationReused(
                f"The operation {operation!r} took {self.operations[operation]} records out of "
                f"the statistics before, and now has {records}; give each erasure an id "
                f"of its own."
            )


def _model(kind: str, settings: Mapping[str, Any]) -> IntegerModel:
    return MODELS[kind](**{key: _frozen(value) for key, value in settings.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    return tuple(value) if isinstance(value, list) else value


def _check_shapes(model: IntegerModel, counters: Counters) -> None:
    """Hold the arrays to those of the model; kept records may be any number."""
    wanted = model.empty()
    if counters.keys() != wanted.keys() or not all(
        _fits(counters[name], mine) for name, mine in wanted.items()
    ):
        arrays = ", ".join(f"{name} {mine.shape}" for name, mine in wanted.items())
        raise NotStatistics(
            f"The arrays are not what {type(model).__name__} keeps, in 64-bit integers: {arrays}."
        )


def _fits(found: Integers, wanted: Integers) -> bool:
    sides = slice(0 if len(wanted) else 1, None)  # an empty array stands for any number of rows
    return (
        found.dtype == np.int64
        and found.ndim == wanted.ndim
        and found.shape[sides] == wanted.shape[sides]
    )
