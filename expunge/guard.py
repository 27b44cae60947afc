"""Stand before one served version: whether it may be used, its weights, how exactly it answers."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from expunge.connection import Connection, KeyNotAccepted, PlatformAway, ReportRefused
from expunge.outputs import told
from expunge.queries import UNNAMED, Counting
from expunge.weights import WeightsCache, verified

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray


class VersionWithdrawn(RuntimeError):
    """The platform does not let this version be used any more."""


@dataclass(kw_only=True)
class ServingGuard:
    """Stands before a served version; threads may share it.

    * ``url``, ``api_key``: the platform, and a key of it with the scope ``serve``; with
      ``serve:next`` as well, answers are counted together with those of other processes;
    * ``version``: its identifier;
    * ``every``: seconds after which the platform is asked again whether it may be used;
    * ``patience``: seconds for which it is served on while the platform does not answer;
    * ``cache``: a folder in which weights are kept; by default they are fetched at each start;
    * ``counting``: what counts answers, where several versions share it;
    * ``insecure``: allows http to another machine, over which the key can be read.
    """

    url: str
    api_key: str = field(repr=False)
    version: str
    every: float = 60.0
    patience: float = 3600.0
    timeout: float = 30.0
    cache: Path | str | None = None
    counting: Counting | None = None
    clock: Callable[[], float] = time.monotonic
    insecure: bool = False

    def __post_init__(self) -> None:
        self._connection = connected(self.url, self.api_key, self.timeout, insecure=self.insecure)
        self._refused: KeyNotAccepted | ReportRefused | None = None
        self._told: dict[str, Any] = {}
        self._heard = self._tried = float("-inf")
        self._lock = threading.RLock()

    def open(self) -> str:
        """Begin to serve weights that were had from elsewhere; return the version's name.

        Raises:
            KeyNotAccepted: this reader has had a version that differs by an erasure.
            ReportRefused: the version is not in use, or it is too early for it.
            PlatformAway: no answer.
        """
        with self._lock:
            asked = self.clock()
            self._hear(self._connection.post(f"versions/{self.version}/open", {}), asked)
            return str(self._told["name"])

    def weights(self) -> bytes:
        """Return the weights as safetensors, of the digest that the platform tells.

        Raises:
            WeightsDiffer: what was fetched has another digest. Else as ``open``.
        """
        self.open()
        digest, store = str(self._told["digest"]), self._store()
        kept = store.read(digest) if store else None
        if kept is not None:
            return kept
        data = self.verified(self._connection.get_bytes(f"versions/{self.version}/weights"))
        if store:
            store.keep(digest, data)
        return data

    def verified(self, data: bytes) -> bytes:
        """Return weights that were had from elsewhere, if they are those of this version.

        Raises:
            WeightsDiffer: they are not. Else as ``open``.
        """
        if not self._told:
            self.open()
        return verified(data, digest=str(self._told["digest"]), name=str(self._told["name"]))

    def check(self) -> None:
        """Ask whether the version may still be used, unless that was asked a moment ago.

        Raises:
            VersionWithdrawn: it may not.
            PlatformAway: nobody has answered for longer than ``patience``.
            KeyNotAccepted: the platform does not take the key (any more); it is asked again
                after ``every`` seconds.
            ReportRefused: the version is not known there, or not to be had.
        """
        with self._lock:
            self._ask_again()
            if not self._told["usable"]:
                state = str(self._told["state"]).lower()
                raise VersionWithdrawn(f"{self._told['name']} is {state}: stop serving it.")

    def answer(self, probabilities: ArrayLike, caller: str = UNNAMED) -> NDArray[np.float64]:
        """Return what may be told of probabilities (n, classes) or (classes,).

        Args:
            probabilities: each row is one answer.
            caller: who asks, in any form that is the same for each call of theirs. It is not sent:
                the platform gets a keyed digest.

        Raises:
            QueryLimitReached: the caller may have no more answers today. Else as ``check``.
        """
        self.check()
        return self.tell(probabilities, caller)

    def tell(self, probabilities: ArrayLike, caller: str = UNNAMED) -> NDArray[np.float64]:
        """Return as ``answer`` what was asked while the version could be used, without a check."""
        rows = np.asarray(probabilities)
        self.count(caller, 1 if rows.ndim == 1 else len(rows))
        return told(rows, str(self._told["outputs"]))

    def count(self, caller: str, answers: int) -> None:
        """Count answers where somebody is named or there is a limit. Raises QueryLimitReached."""
        limit = int(self._told["queries_per_day"])
        if caller != UNNAMED or limit:
            self._counts().count(caller, answers, limit, self.version)

    def close(self) -> None:
        """Report what was counted and not reported yet."""
        if self.counting:
            self.counting.report()

    def _ask_again(self) -> None:
        """Hear anew what is known of the version, at most once in ``every``, answered or not.

        A refusal holds until an answer says otherwise: no call is made for each that it stops.
        """
        if self.clock() - max(self._heard, self._tried) >= self.every:
            try:
                self._ask()
            except PlatformAway:
                self._tried = self.clock() if self._told or self._refused else self._tried
                if not self._refused and self.clock() - self._heard >= self.patience:
                    raise
            except (KeyNotAccepted, ReportRefused) as refused:
                self._tried, self._refused = self.clock(), refused
        if self._refused:
            raise type(self._refused)(str(self._refused))
        if self.clock() - self._heard >= self.patience:
            raise PlatformAway(f"{self.url} has not answered for {self.patience:g} seconds.")

    def _ask(self) -> None:
        if not self._told:
            self.open()
            return
        asked = self.clock()
        self._hear(self._connection.get(f"versions/{self.version}"), asked)

    def _counts(self) -> Counting:
        with self._lock:
            if self.counting is None:
                self.counting = Counting(
                    connection=self._connection,
                    model=str(self._told["model"]),
                    every=self.every,
                    clock=self.clock,
                )
            return self.counting

    def _store(self) -> WeightsCache | None:
        if self.cache is None:
            return None
        return WeightsCache(folder=Path(self.cache), model=str(self._told["model"]))

    def _hear(self, answer: dict[str, Any], asked: float) -> None:
        """Keep an answer. It is as old as its question: what came meanwhile may not be in it."""
        self._told, self._heard, self._refused = answer, asked, None


def newest(
    url: str, api_key: str, model: str, timeout: float = 30.0, *, insecure: bool = False
) -> str:
    """Return the identifier of the newest version of a model that is in use.

    Raises:
        ReportRefused: there is none. KeyNotAccepted, PlatformAway: see ``Connection.post``.
    """
    connection = connected(url, api_key, timeout, insecure=insecure)
    return str(connection.get(f"models/{quote(model, safe='')}")["version"])


def connected(url: str, api_key: str, timeout: float, *, insecure: bool = False) -> Connection:
    """Return a connection to what serving processes ask."""
    return Connection(url=url, api_key=api_key, timeout=timeout, area="serving", insecure=insecure)
