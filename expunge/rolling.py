"""Serve whatever version of a model is in use, and go on with the next one without a restart."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from urllib.parse import quote

from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused
from expunge.guard import ServingGuard, VersionWithdrawn, connected
from expunge.queries import UNNAMED, Counting
from expunge.weights import WeightsCache, WeightsDiffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

Model = TypeVar("Model")
logger = logging.getLogger("expunge.serving")
_NOT_NOW = (PlatformAway, KeyNotAccepted, ReportRefused, WeightsDiffer)
_SHORTEST, _WITHOUT = 0.05, 5.0  # seconds between two looks: at least, and while nothing is served


class NothingServed(RuntimeError):
    """No version is in use here now; the same call may work later (503 with Retry-After)."""


@dataclass
class _Held(Generic[Model]):
    """A loaded version and how many calls are with it."""

    guard: ServingGuard
    model: Model
    calls: int = 0


@dataclass(kw_only=True)
class Rolling(Generic[Model]):
    """Serves the newest version of a model that is in use; threads may share it.

    Open it in the process that serves, after a fork. While the platform answers, no call that
    begins more than ``every`` seconds after a withdrawal is answered by the version that was
    withdrawn; while it is away, none that begins more than ``patience`` seconds after its last
    answer. Calls that had begun end with it. Then its weights go, and the next is asked for.

    * ``url``, ``api_key``: the platform, and a key of it with the scopes ``serve`` and
      ``serve:next``; with ``serve`` alone it ends at the first erasure;
    * ``model``: its name; ``load``: makes a model of safetensors bytes;
    * ``every``, ``patience``, ``timeout``, ``cache``, ``insecure``: as those of ``ServingGuard``;
    * ``background``: look for the next version from a thread of its own, else call ``poll``;
    * ``drain``: seconds for which calls of a version that is out of use are waited for at a look.
    """

    url: str
    api_key: str = field(repr=False)
    model: str
    load: Callable[[bytes], Model]
    every: float = 60.0
    patience: float = 3600.0
    timeout: float = 30.0
    cache: Path | str | None = None
    background: bool = True
    drain: float = 30.0
    clock: Callable[[], float] = time.monotonic
    insecure: bool = False

    def __post_init__(self) -> None:
        self._connection = connected(self.url, self.api_key, self.timeout, insecure=self.insecure)
        self._counting = Counting(
            connection=self._connection,
            model=self.model,
            every=self.every,
            inline=not self.background,
            clock=self.clock,
        )
        self._held: _Held[Model] | None = None
        self._leaving: list[_Held[Model]] = []
        self._why, self._said = "it was not opened.", ""
        self._broken, self._broke = "", float("-inf")
        self._free = threading.Condition()
        self._looking = threading.Lock()
        self._wake, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> Self:
        """Load the newest version and begin to look for the next.

        Raises:
            ReportRefused: none is in use, or it is too early for it.
            KeyNotAccepted, PlatformAway, WeightsDiffer: as ``ServingGuard.weights``.
        """
        with self._looking:
            self._go_on(self._newest())
        if self.background:
            self._thread = threading.Thread(target=self._look, daemon=True, name="expunge-serving")
            self._thread.start()
        return self

    def close(self) -> None:
        """End the thread, and report what was counted."""
        self._over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self._counting.report()

    @property
    def version(self) -> str:
        """The identifier of the version that is served, "" where none is."""
        held = self._held
        return held.guard.version if held else ""

    def answer(
        self, ask: Callable[[Model], ArrayLike], caller: str = UNNAMED
    ) -> NDArray[np.float64]:
        """Return what may be told of the probabilities that ``ask`` has from the model.

        Args:
            ask: gives (n, classes) or (classes,); whatever it keeps of the model is its own fault.
            caller: see ``ServingGuard.answer``.

        Raises:
            NothingServed: no version is in use here now.
            QueryLimitReached: the caller may have no more answers today.
            PlatformAway: nobody has answered for longer than ``patience``.
            KeyNotAccepted, ReportRefused: as ``ServingGuard.check``.
        """
        with self._using() as held:
            return held.guard.tell(ask(held.model), caller)

    def poll(self) -> None:
        """Look whether the version may still be used and whether there is a newer one, and go on.

        Whatever stands in the way is logged, and tried again at the next look. One thread at a
        time looks; another that comes meanwhile leaves at once.
        """
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._retire_withdrawn()
            newest = self._newest()
            if newest["version"] != self.version and self._ready(str(newest["version"])):
                self._go_on(newest)
            self._let_go(wait=0)
        except _NOT_NOW as error:
            self._put_off(str(error))
        except Exception as error:
            logger.exception("A version of %s could not be loaded.", self.model)
            self._put_off(f"its newest version could not be loaded ({type(error).__name__}).")
        finally:
            self._looking.release()

    # --- calls --------------------------------------------------------------------------------

    @contextmanager
    def _using(self) -> Iterator[_Held[Model]]:
        held = self._take()
        try:
            yield held
        finally:
            with self._free:
                held.calls -= 1
                self._free.notify_all()

    def _take(self) -> _Held[Model]:
        """Return what is served now, which may be used and has one call more."""
        held = self._retire_withdrawn()
        with self._free:
            if held is None or held is not self._held:
                held = self._held  # heard of a moment ago, if it is another
            if held is None:
                self._wake.set()
                raise NothingServed(f"No version of {self.model} is served now: {self._why}")
            held.calls += 1
            return held

    # --- looks --------------------------------------------------------------------------------

    def _look(self) -> None:
        while not self._over.is_set():
            wait = self.every / 2 if self._held else min(self.every / 2, _WITHOUT)
            self._wake.wait(max(wait, _SHORTEST))
            self._wake.clear()
            if not self._over.is_set():
                self._look_once()

    def _look_once(self) -> None:
        """Look and report, whatever comes of it: nobody would look again if this thread ended."""
        try:
            self.poll()
            self._counting.report()
        except Exception:
            logger.exception("A look for the next version of %s failed.", self.model)

    def _retire_withdrawn(self) -> _Held[Model] | None:
        """Return what was asked about. Raises PlatformAway, KeyNotAccepted and ReportRefused."""
        held = self._held
        if held is not None:
            try:
                held.guard.check()
            except VersionWithdrawn as gone:
                self._retire(held, str(gone))
        return held

    def _retire(self, held: _Held[Model], why: str) -> None:
        """Give no new call to a version."""
        with self._free:
            if self._held is held:
                self._held, self._why = None, why
                self._leaving.append(held)
                self._wake.set()

    def _newest(self) -> Mapping[str, Any]:
        """Return what the platform says of the newest version in use. Raises as ``newest``."""
        return self._connection.get(f"models/{quote(self.model, safe='')}")

    def _ready(self, newest: str) -> bool:
        """Return whether it is time for a version: all before are gone, or one is served still."""
        if newest == self._broken and self.clock() - self._broke < self.every:
            return False
        if self._held is None and not self._let_go(wait=self.drain):
            self._put_off("calls of the version before have not ended.")
            return False
        return True

    def _let_go(self, *, wait: float) -> bool:
        """Drop versions that are out of use once no call is with them; return whether all are."""
        with self._free:
            ended = self._free.wait_for(
                lambda: not any(one.calls for one in self._leaving), timeout=wait
            )
            self._leaving = [one for one in self._leaving if one.calls]
            return ended

    def _go_on(self, newest: Mapping[str, Any]) -> None:
        """Load a version and serve it from now on."""
        version, digest = str(newest["version"]), str(newest["digest"])
        if self._held is None:
            # What was before goes first: from the disk, too, also of a process that has ended.
            self._keep_only(digest)
            self._connection.post(f"models/{quote(self.model, safe='')}/gone", {})
        guard = self._guard(version)
        loaded = _Held(guard, self._loaded(version, guard.weights()))
        self._keep_only(digest)
        with self._free:
            before, self._held = self._held, loaded
            if before is not None:
                self._leaving.append(before)
        self._said = ""
        logger.info("%s is served now.", newest["name"])

    def _loaded(self, version: str, weights: bytes) -> Model:
        try:
            return self.load(weights)
        except Exception:
            self._broken, self._broke = version, self.clock()
            raise

    def _guard(self, version: str) -> ServingGuard:
        return ServingGuard(
            url=self.url,
            api_key=self.api_key,
            version=version,
            every=self.every,
            patience=self.patience,
            timeout=self.timeout,
            cache=self.cache,
            counting=self._counting,
            clock=self.clock,
            insecure=self.insecure,
        )

    def _keep_only(self, digest: str) -> None:
        if self.cache is not None:
            WeightsCache(folder=Path(self.cache), model=self.model).drop_all_but(digest)

    def _put_off(self, why: str) -> None:
        with self._free:
            if self._held is None:
                self._why = why
        if why != self._said:
            self._said = why
            logger.warning("The next version of %s is not served yet: %s", self.model, why)
