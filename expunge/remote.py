"""Report a training on another machine to a platform, over HTTP and through a spool.

    view = remote_view(url, api_key, snapshot)
    sink = HttpSink(url=url, api_key=key, snapshot=view.snapshot, model_name="m", spool="spool")
    with capture.training(loader, sink=sink) as captured:
        ...

Every message is on disk before it is sent. When the platform is away the training goes on, and
what could not be sent stays in the spool: the next ``HttpSink`` with that folder sends it, or
``python -m expunge.flush FOLDER``.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyroaring import BitMap

from expunge.connection import Connection, KeyNotAccepted, PlatformAway, ReportRefused
from expunge.delivery import Delivery, deliver, flush
from expunge.spool import Message, Outbox, outbox
from expunge.wire import dumps, plain, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from expunge.sink import Finish, Start

logger = logging.getLogger("expunge.remote")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


@dataclass(kw_only=True)
class HttpSink:
    """Reports one training, or one of its ranks.

    * ``url``, ``api_key``: the platform, and a key of it with the scope ``capture``;
    * ``snapshot``: what the training declares to read; ``base``: versions that it starts from
      (with the activity DISTILL, its teachers);
    * ``model_name``: of the version that comes out; ``release``: whether it may be used at once;
    * ``recipe``, ``recipe_parameters``, ``recipe_digest``, ``seed``: only where a recipe that the
      platform allows was trained, so that it can train it again; the digest is what the
      recipe's ``digest()`` gives where it was trained;
    * ``spool``: a folder on a disk that survives the script;
    * ``run``: a UUID; all ``ranks`` of one training must be given the same one;
    * ``heartbeat_seconds``: 0 for no heartbeat; ``patience_seconds``: how long the end of the
      training waits for a platform that is away; ``insecure``: see ``Connection``.

    NaN and infinite metrics are reported as the texts "nan", "inf" and "-inf".
    """

    url: str
    api_key: str = field(repr=False)
    snapshot: str
    model_name: str
    spool: Path | str
    activity: str = "TRAIN"
    base: tuple[str, ...] = ()
    procedure: str = ""
    recipe: str = ""
    recipe_parameters: Mapping[str, Any] = field(default_factory=dict)
    recipe_digest: str = ""
    seed: int | None = None
    release: bool = True
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    rank: int = 0
    ranks: int = 1
    heartbeat_seconds: float = 60.0
    patience_seconds: float = 60.0
    timeout: float = 30.0
    insecure: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.recipe and not self.recipe_digest:
            raise ValueError(
                f"recipe is {self.recipe!r}, but recipe_digest is empty. Give what the recipe's "
                "digest() returns: without it nobody could tell whether it changed since."
            )
        try:
            dumps(self.recipe_parameters)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"recipe_parameters cannot be reported ({error}); allowed are JSON values without "
                "NaN and infinite numbers, so that the platform can train with the same ones."
            ) from error
        self._connection = Connection(
            url=self.url, api_key=self.api_key, timeout=self.timeout, insecure=self.insecure
        )
        self._box: Outbox = outbox(Path(self.spool), self.run, self.rank)
        self._began: datetime | None = None
        self._heard, self._restricted = float("-inf"), 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def pending(self) -> int:
        """How many messages of this training the platform does not have yet."""
        return len(self._box.pending())

    def begin(self, start: Start) -> str:
        """Open the run; a platform that is away does not stop the training.

        Raises:
            KeyNotAccepted, ReportRefused: the training cannot be reported like this, and has
                not begun.
        """
        if self._began is not None:
            raise ValueError(f"This sink has reported run {self.run}; make one per training.")
        self._send_earlier()
        self._began = self.clock()
        self._box.add(self._message("begin", self._beginning(start)))
        try:
            made = self._deliver()
        except KeyNotAccepted:
            self._box.done(self._box.pending()[0])
            self._close()
            raise
        if made.refused:
            self._close()
            raise ReportRefused(made.refused[0])
        if self.heartbeat_seconds:
            self._thread = threading.Thread(target=self._beat_on, daemon=True)
            self._thread.start()
        return self.run

    def finish(self, run: str, finish: Finish) -> str:
        """Report what was used, and the weights; return the version's identifier.

        The identifier is known even where the platform is away; ``pending`` tells whether it is.

        Raises:
            ReportRefused: the platform will never take this report. It is kept in the folder
                ``refused`` of the spool.
        """
        self._over.set()
        self._box.add(self._ending(finish))
        made = self._deliver_patiently()
        if made.refused:
            raise ReportRefused(made.refused[-1])
        if made.answer.get("born_affected"):
            logger.warning(
                "The version is withdrawn from birth: records of run %s were restricted or erased "
                "while it was trained.",
                run,
            )
        self._close()
        return str(version_of(run))

    def fail(self, run: str, reason: str) -> None:  # noqa: ARG002  (a sink of one run)
        """Report that the training ended without a model; never raises for the network's sake."""
        self._over.set()
        self._box.add(self._message("fail", {"reason": reason[:80]}))
        self._deliver_or_say(Delivery())
        self._close()

    def check(self, run: str) -> int:
        """Return how many records became restricted, as far as the platform has said.

        It asks at most once in ``heartbeat_seconds``.
        """
        if time.monotonic() - self._heard >= self.heartbeat_seconds:
            self._beat(run)
        return self._restricted

    # --- what is said ---------------------------------------------------------------------

    def _message(self, kind: str, body: Mapping[str, Any]) -> Message:
        return Message(kind=kind, run=self.run, body={"rank": self.rank, **body})

    def _beginning(self, start: Start) -> dict[str, Any]:
        return {
            "at": self.clock().isoformat(),
            "snapshot": self.snapshot,
            "ranks": self.ranks,
            "activity": self.activity,
            "level": start.level,
            "base": list(self.base),
            "procedure": self.procedure,
            "recipe": self.recipe,
            "recipe_parameters": dict(self.recipe_parameters),
            "recipe_digest": self.recipe_digest,
            "seed": self.seed,
            "sampler": plain(start.sampler),
            "environment": plain(start.environment),
        }

    def _ending(self, finish: Finish) -> Message:
        used = BitMap(finish.used)
        used.run_optimize()
        files = {"used": used.serialize()}
        if finish.first_steps is not None:
            steps = np.ascontiguousarray(finish.first_steps, dtype="<u4")
            files["first_steps"] = zlib.compress(steps.tobytes())
        if self.rank == 0:
            files["weights"] = finish.weights
        body = {
            "rank": self.rank,
            "used_sha256": hashlib.sha256(files["used"]).hexdigest(),
            "weights_sha256": hashlib.sha256(files.get("weights", b"")).hexdigest(),
            "model_name": self.model_name,
            "metrics": plain(finish.metrics),
            "sampler": plain(finish.sampler),
            "release": self.release,
            "seconds": self._seconds(),
        }
        files["message"] = dumps(body)
        return Message(kind="finish", run=self.run, body={}, files=files)

    def _seconds(self) -> float:
        began = self._began or self.clock()
        return max(0.0, (self.clock() - began).total_seconds())

    # --- how it is brought there ------------------------------------------------------------

    def _deliver(self, made: Delivery | None = None) -> Delivery:
        return deliver(self._box, self._connection, made=made)

    def _deliver_or_say(self, made: Delivery) -> Delivery:
        """Send what can be sent now, and say where the rest is."""
        made.waiting.clear()
        try:
            self._deliver(made)
        except KeyNotAccepted as refused:
            made.waiting.append(str(refused))
        if made.waiting:
            logger.warning(
                "%d messages of run %s wait in %s: %s Send them with python -m expunge.flush.",
                self.pending,
                self.run,
                self.spool,
                made.waiting[-1],
            )
        return made

    def _deliver_patiently(self) -> Delivery:
        made = Delivery()
        left, pause = self.patience_seconds, _FIRST_PAUSE
        while left > 0:
            made.waiting.clear()
            try:
                self._deliver(made)
            except KeyNotAccepted:
                break
            if not made.waiting:
                return made
            self.pause(min(pause, left))
            left, pause = left - pause, min(2 * pause, _LONGEST_PAUSE)
        return self._deliver_or_say(made)

    def _send_earlier(self) -> None:
        """Send what earlier trainings left in the spool; what cannot be sent stays there."""
        made = flush(Path(self.spool), self._connection)
        for sentence in dict.fromkeys(made.waiting):
            logger.warning("An earlier report stays in %s: %s", self.spool, sentence)
        for sentence in made.refused:
            logger.warning("An earlier report was refused and set aside: %s", sentence)

    def _beat_on(self) -> None:
        while not self._over.wait(self.heartbeat_seconds):
            self._beat(self.run)

    def _beat(self, run: str) -> None:
        self._heard = time.monotonic()
        try:
            if not self._over.is_set() and self.pending:
                self._deliver()
            told = self._connection.post(f"runs/{run}/heartbeat", {"rank": self.rank})
            self._restricted = int(told["restricted"])
        except (PlatformAway, KeyNotAccepted, ReportRefused) as error:
            logger.info("No heartbeat: %s", error)

    def _close(self) -> None:
        if self._thread is not None:
            self._thread.join()  # its call ends by itself, or by its timeout
        self._box.close()
