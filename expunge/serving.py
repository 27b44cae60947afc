"""Serve a version for as long as the platform lets it be used, and as exactly as it allows.

    guard = ServingGuard(url=url, api_key=key, version=newest(url, key, "faces"))
    model = load(guard.weights())
    ...
    return guard.answer(softmax(model(inputs)))

A key is given one of the versions that replace one another, and never another of them: whoever
compares two can tell who was erased between them. For the next version, give the process a key of
a new name, for readers who have not had the one before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expunge.connection import Connection, PlatformAway
from expunge.outputs import told

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class VersionWithdrawn(RuntimeError):
    """The platform does not let this version be used any more."""


@dataclass(kw_only=True)
class ServingGuard:
    """Stands before a served version.

    * ``url``, ``api_key``: the platform, and a key of it with the scope ``serve``;
    * ``version``: its identifier;
    * ``every``: seconds after which the platform is asked again whether it may be used;
    * ``patience``: seconds for which it is served on while the platform does not answer.
    """

    url: str
    api_key: str = field(repr=False)
    version: str
    every: float = 60.0
    patience: float = 3600.0
    timeout: float = 30.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._connection = _connection(self.url, self.api_key, self.timeout)
        self._told: dict[str, Any] = {}
        self._heard = float("-inf")

    def open(self) -> str:
        """Begin to serve weights that were had from elsewhere; return the version's name.

        Raises:
            KeyNotAccepted: this reader has had a version that differs by an erasure.
            ReportRefused: the version is not in use.
            PlatformAway: no answer.
        """
        self._hear(self._connection.post(f"versions/{self.version}/open", {}))
        return str(self._told["name"])

    def weights(self) -> bytes:
        """Return the weights as safetensors. Raises as ``open``."""
        self.open()
        return self._connection.get_bytes(f"versions/{self.version}/weights")

    def check(self) -> None:
        """Ask whether the version may still be used, unless that was asked a moment ago.

        Raises:
            VersionWithdrawn: it may not.
            PlatformAway: nobody has answered for longer than ``patience``.
        """
        if not self._told:
            self.open()
        if self.clock() - self._heard >= self.every:
            try:
                self._hear(self._connection.get(f"versions/{self.version}"))
            except PlatformAway:
                if self.clock() - self._heard >= self.patience:
                    raise
        if not self._told["usable"]:
            state = str(self._told["state"]).lower()
            raise VersionWithdrawn(f"{self._told['name']} is {state}: stop serving it.")

    def answer(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return what may be told of probabilities (n, classes). Raises as ``check``."""
        self.check()
        return told(probabilities, str(self._told["outputs"]))

    def _hear(self, answer: dict[str, Any]) -> None:
        self._told, self._heard = answer, self.clock()


def newest(url: str, api_key: str, model: str, timeout: float = 30.0) -> str:
    """Return the identifier of the newest version of a model that is in use.

    Raises:
        ReportRefused: there is none. KeyNotAccepted, PlatformAway: see ``Connection.post``.
    """
    return str(_connection(url, api_key, timeout).get(f"models/{model}")["version"])


def _connection(url: str, api_key: str, timeout: float) -> Connection:
    return Connection(url=url, api_key=api_key, timeout=timeout, area="serving")
