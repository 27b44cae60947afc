"""Follow each injection until the site is well and every case that was in flight has moved on."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults import looking
from tests.faults.site import AWAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.looking import Case
    from tests.faults.site import Site

RECOVERY = 420  # seconds; whoever wrote a letter and died leaves it for five minutes
_PAUSE = 0.25  # seconds: to ask more often would load the site


@dataclass
class Injection:
    """A fault that is over, and the cases that lived through it."""

    kind: str
    aimed: str
    flying: dict[str, Case]  # as it began
    marks: dict[str, str]  # as it ended
    lasted: float
    ended: float  # by the monotonic clock
    noted: dict[str, Any] = field(default_factory=dict)

    def over(self, now: dict[str, Case]) -> bool:
        """Whether each case has moved on or ended since."""
        return all(
            now[key].phase == "end" or now[key].mark != mark for key, mark in self.marks.items()
        )

    def line(self, *, recovered: float | None) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            "line": "injection",
            "kind": self.kind,
            "aimed": self.aimed,
            "flying": {case.reference: case.phase for case in self.flying.values()},
            "lasted": round(self.lasted, 3),
            "recovered": None if recovered is None else round(recovered, 3),
            **self.noted,
        }


@dataclass
class Watch:
    """A thread that looks after the injections of one round."""

    site: Site
    keep: Callable[[dict[str, Any]], None]
    pending: list[Injection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(90)
        self._close(self.pending, recovered=False)

    def add(self, one: Injection) -> None:
        """Look after one more."""
        with self._lock:
            self.pending.append(one)

    def _run(self) -> None:
        while not self._over.wait(_PAUSE):
            with self._lock:
                waiting = list(self.pending)
            if not waiting:
                continue
            with contextlib.suppress(*AWAY):
                now = looking.cases(self.site)
                well = [one for one in waiting if one.over(now)]
                self._close(well if well and self.site.whole() else [], recovered=True)
            late = time.monotonic() - RECOVERY
            self._close([one for one in waiting if one.ended < late], recovered=False)

    def _close(self, those: list[Injection], *, recovered: bool) -> None:
        for one in list(those):
            with self._lock:
                if one not in self.pending:
                    continue
                self.pending.remove(one)
            seconds = time.monotonic() - one.ended if recovered else None
            self.keep(one.line(recovered=seconds))
