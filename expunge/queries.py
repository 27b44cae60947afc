"""Count the answers that each caller has had of a model, and stop where they have had enough.

Whoever asks often enough can copy a model, and a new version gives one more look at it. So answers
are counted over all versions of a model, and the platform adds up what its processes counted.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from hmac import new as hmac
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from expunge.connection import Connection

logger = logging.getLogger("expunge.serving")
UNNAMED = ""  # one caller like any other, so that nobody evades a limit by having no name
MOST_CALLERS = 1000  # in one report
_DIGEST = 32  # hex digits


class QueryLimitReached(RuntimeError):
    """A caller has had as many answers of a model as they may have in a day.

    ``limit``: how many that is; ``until``: when there are more.
    """

    def __init__(self, model: str, limit: int, until: datetime) -> None:
        super().__init__(
            f"This caller may have {limit} answers of {model} in a day, and this call is more; "
            f"there are new ones from {until:%Y-%m-%d %H:%M} UTC."
        )
        self.limit, self.until = limit, until


def digest_of(key: bytes, day: date, caller: str) -> str:
    """Return the keyed digest of a caller: another on every day, so that days stay apart."""
    of_day = hmac(key, day.isoformat().encode(), sha256).digest()
    return hmac(of_day, caller.encode(), sha256).hexdigest()[:_DIGEST]


@dataclass(frozen=True, kw_only=True)
class _Report:
    """What is on its way: the same until the platform has taken it, however often it is sent."""

    id: str
    day: date
    answers: Mapping[str, int]  # by callers as they are; digested when it is sent
    served: Mapping[str, int]  # by the versions that gave them


@dataclass(kw_only=True)
class Counting:
    """Counts for one model. Names of callers stay in this process, and only in its memory.

    * ``every``: seconds between two reports to the platform, which a call makes that is counted;
    * ``inline``: False where somebody else calls ``report`` instead;
    * ``today``: the day by the clock of UTC.
    """

    connection: Connection
    model: str
    every: float = 60.0
    inline: bool = True
    clock: Callable[[], float] = monotonic
    today: Callable[[], date] = lambda: datetime.now(UTC).date()

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _sending: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self._key = b""
        self._told: Counter[tuple[date, str]] = (
            Counter()
        )  # by the platform, of all processes, or kept
        self._new: Counter[tuple[date, str]] = Counter()  # in no report yet
        self._served: Counter[tuple[date, str]] = Counter()  # by versions, in no report yet
        self._report: _Report | None = None
        self._sent = float("-inf")  # so that what others counted is known from the first call on

    def count(self, caller: str, answers: int, limit: int, version: str = "") -> None:
        """Count answers that a caller is about to have, of which a day has ``limit``; 0 is none.

        ``version`` is the identifier of the one that gives them.

        Raises:
            QueryLimitReached: they would have more; none of these is counted.
        """
        day = self.today()
        with self._lock:
            if limit and self._used(day, caller) + answers > limit:
                raise QueryLimitReached(self.model, limit, _midnight_after(day))
            if answers:
                self._new[day, caller] += answers
                self._served[day, version] += answers
            due = self.clock() - self._sent >= self.every or len(self._new) >= MOST_CALLERS
        if due and self.inline:
            self.report()

    def used(self, caller: str) -> int:
        """Return how many answers a caller has had today, as far as it is known here."""
        with self._lock:
            return self._used(self.today(), caller)

    def report(self) -> None:
        """Tell the platform what is new; where it is away, later. One thread at a time does.

        Answers do not wait for counts: what goes wrong here is logged, and never raised.
        """
        if not self._sending.acquire(blocking=False):
            return
        try:
            self._sent = self.clock()
            while self._next() is not None:
                self._send()
        except KeyNotAccepted as error:
            self._keep()
            logger.warning("Counts of %s stay of this process alone: %s", self.model, error)
        except PlatformAway as error:
            logger.warning("Counts of %s wait: %s", self.model, error)
        except Exception:
            logger.exception("Counts of %s wait.", self.model)
        finally:
            self._sending.release()

    def _used(self, day: date, caller: str) -> int:
        report, on_its_way = self._report, 0
        if report is not None and report.day == day:
            on_its_way = report.answers.get(caller, 0)
        return self._told[day, caller] + on_its_way + self._new[day, caller]

    def _next(self) -> _Report | None:
        """Return what was not taken yet, or else a part of what is new, of the oldest day."""
        with self._lock:
            if self._report is None and (waiting := +self._new):
                first = min(day for day, _ in waiting)
                these = ((who, n) for (day, who), n in waiting.items() if day == first)
                answers = dict(islice(these, MOST_CALLERS))
                for caller in answers:
                    del self._new[first, caller]
                self._report = _Report(
                    id=str(uuid4()), day=first, answers=answers, served=self._take_served(first)
                )
            return self._report

    def _take_served(self, day: date) -> dict[str, int]:
        """Return what versions gave on a day, which goes along with the first report of it."""
        these = [one for one in self._served if one[0] == day]
        return {version: self._served.pop((day, version)) for _, version in these if version}

    def _send(self) -> None:
        """Hand in the report. Raises PlatformAway and KeyNotAccepted; then it stays."""
        report = self._report
        if report is None:
            return
        totals: dict[str, int] = {}
        try:
            totals = self._taken(report)
        except ReportRefused as refused:
            logger.warning("Counts of %s are dropped: %s", self.model, refused)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # No value is told: it may be the digest of a caller.
            raise PlatformAway(
                f"the answer was not that of a platform ({type(error).__name__})."
            ) from None
        with self._lock:
            self._told = Counter({one: n for one, n in self._told.items() if one[0] >= report.day})
            for caller, total in totals.items():
                self._told[report.day, caller] = total
            self._report = None

    def _keep(self) -> None:
        """Count on by what this process knows of today: the platform takes nothing of this key."""
        with self._lock:
            if self._report is not None:
                for caller, answers in self._report.answers.items():
                    self._told[self._report.day, caller] += answers
            known, today = self._told + self._new, self.today()
            self._told = Counter({one: n for one, n in known.items() if one[0] >= today})
            self._new.clear()
            self._served.clear()
            self._report = None

    def _taken(self, report: _Report) -> dict[str, int]:
        """Return how many answers each caller of a report has had, as the platform says."""
        callers = {self._digest(report.day, caller): caller for caller in report.answers}
        body: dict[str, Any] = {
            "report": report.id,
            "model": self.model,
            "day": report.day.isoformat(),
            "answers": [
                {"caller": digest, "answers": report.answers[who]}
                for digest, who in callers.items()
            ],
        }
        if report.served:
            body["served"] = [
                {"version": version, "answers": answers}
                for version, answers in report.served.items()
            ]
        totals = self.connection.post("queries", body)["totals"]
        return {callers[digest]: int(total) for digest, total in totals.items()}

    def _digest(self, day: date, caller: str) -> str:
        if not self._key:
            told = self.connection.get(f"models/{quote(self.model, safe='')}/counting")
            self._key = bytes.fromhex(told["key"])
        return digest_of(self._key, day, caller)


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
