"""A sink that sends nothing: to see what a captured training would report, before it does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expunge.sink import Finish, Start


class Rehearsal:
    """Keeps in this process what a platform would be told, and restricts no record.

    With ``HttpSink`` in its place the same training is recorded.

    Attributes:
        run: the identifier of the newest run, made up here; empty before there is one.
        started: what was told when it began.
        finished: what was told when it ended, weights and used records included.
        failed: the reason of one that did not end; empty where it did.
    """

    def __init__(self) -> None:
        self.run = ""
        self.started: Start | None = None
        self.finished: Finish | None = None
        self.failed = ""

    def begin(self, start: Start) -> str:
        """Open a run and return its identifier."""
        self.run, self.started, self.finished, self.failed = str(uuid.uuid4()), start, None, ""
        return self.run

    def finish(self, run: str, finish: Finish) -> str:
        """Keep the report and return the identifier of a version, which follows from the run's."""
        self.finished = finish
        return str(uuid.uuid5(uuid.UUID(run), "version"))

    def fail(self, run: str, reason: str) -> None:  # noqa: ARG002  (a sink is told)
        """Keep the reason."""
        self.failed = reason

    def check(self, run: str) -> int:  # noqa: ARG002  (as above)
        """Return 0: nobody has asked for anything."""
        return 0
