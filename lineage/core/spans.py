"""Spans of a case: what was done for it, in which process and how long it took; never for whom.

All spans of a case have one trace id, which follows from the case's own id. So processes that know
nothing of one another, days apart, write into one trace, and nothing has to be stored for that.
Its first span, the case itself, has an id that follows from the trace's; it is written at the end.

Nothing is recorded until ``use`` names who does it.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from lineage.core.careful import Careful
from lineage.core.recorded import IDLE, TRACEPARENT, Place, attributes_of, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from uuid import UUID

    from lineage.core.recorded import Kind, Recorded, Recorder

P = ParamSpec("P")
T = TypeVar("T")


class Open:
    """A span that is not over. Everything about one that nobody records does nothing."""

    def __init__(self, span: Recorded | None = None, place: Place | None = None) -> None:
        self._span = span
        self.place = span.place if span is not None else place
        self._failed = False
        self.busy = False  # something came of it: a message, a move, a span inside

    def note(self, **about: str | int) -> None:
        """Say more of it; with an error, it failed.

        Raises:
            ValueError: a span may not say that.
        """
        self._failed |= bool(about.get("error"))
        if self._span is not None:
            self._span.note(attributes_of(about))

    def moved(self, state: str) -> None:
        """Say to which state the case went, at this moment."""
        self.busy = True
        if self._span is not None:
            self._span.event("moved", attributes_of({"state": state}))

    def drop_idle(self) -> None:
        """Have it forgotten if nothing came of it: a sweep looks at each case, again and again."""
        if self._span is not None and not self.busy:
            self._span.note({IDLE: True})

    def close(self, error: BaseException | None = None) -> None:
        """End it; of an error it tells the kind, not what that says."""
        if self._span is not None:
            if error is not None:
                self.note(error=type(error).__name__)
            self._span.close(failed=self._failed)


class Asked:
    """A request to the site, which becomes a span once it acts on a case."""

    def __init__(self, verb: str) -> None:
        self._verb, self._began = verb, time.time_ns()
        self._span = Open()

    def adopt(self, trace: int) -> Open:
        """Become a span of a trace, from the time when the request came."""
        started = _used[0].start(self._verb, _first(trace), "SERVER", began=self._began)
        self._span = Open(started)
        _HERE.set(self._span)
        return self._span

    def answered(self, route: str, status: int) -> None:
        """Say which page it was, by its name in the map of URLs, and what it answered."""
        self._span.note(verb=self._verb, route=route, status=status)

    def close(self, error: BaseException | None = None) -> None:
        """End it."""
        self._span.close(error)


_HERE: ContextVar[Open | None] = ContextVar("span", default=None)
_ASKED: ContextVar[Asked | None] = ContextVar("asked", default=None)
_used: list[Careful] = []


def use(recorder: Recorder | None) -> None:
    """Record spans in this process from now on; with None, no longer.

    What the recorder cannot do is logged, and reaches nobody who is at work.
    """
    _used[:] = [] if recorder is None else [Careful(recorder)]


def on() -> bool:
    """Return whether spans are recorded."""
    return bool(_used)


def trace_of(case: UUID) -> int:
    """Return the id of a case's trace.

    A digest, as the id of a case has fixed bits where samplers look for chance.
    """
    return int.from_bytes(hashlib.sha256(b"expunge case trace" + case.bytes).digest()[:16])


def here() -> Open:
    """Return the span in which this is called."""
    return _HERE.get() or Open()


def is_here(case: UUID) -> bool:
    """Return whether the span in which this is called is of a case's trace."""
    place = here().place
    return place is not None and place.trace == trace_of(case)


@contextmanager
def of_case(
    case: UUID, name: str, kind: Kind = "INTERNAL", /, **about: str | int
) -> Iterator[Open]:
    """Have what is done inside be a span of a case.

    It lies in the span around it where that is of the same case, else straight in the case, with
    a link to what is around it.

    Args:
        case: the id of its row.
        name: what is done; few different ones.
        kind: as OpenTelemetry has them.
        about: what ``ATTRIBUTES`` allows.
    """
    if not on():
        yield Open()
        return
    trace, around = trace_of(case), here().place
    request = _ASKED.get()
    if around is None and request is not None:
        around = request.adopt(trace).place
    inner = around if around is not None and around.trace == trace else None
    link = around if inner is None else None
    started = _used[0].start(name, inner or _first(trace), kind, link=link)
    with _within(started, about) as opened:
        yield opened


@contextmanager
def alone(name: str, /, **about: str | int) -> Iterator[Open]:
    """Have what is done inside be a trace of its own, of no case.

    Spans of cases inside it stay in the traces of those, with a link to it.
    """
    if not on():
        yield Open()
        return
    place = _first(secrets.randbits(128) | 1)  # none has only zeros
    with _within(_used[0].first(place, name, began=time.time_ns()), about) as opened:
        yield opened


@contextmanager
def inside(name: str, /, **about: str | int) -> Iterator[Open]:
    """Have what is done inside be a span of the one around it; without one, of nothing."""
    parent = here().place
    if not on() or parent is None:
        yield Open()
        return
    with _within(_used[0].start(name, parent, "INTERNAL"), about) as opened:
        yield opened


def named(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Have each call of a function be a span, as ``inside`` has it."""

    def wrap(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            with inside(name):
                return function(*args, **kwargs)

        return called

    return wrap


@contextmanager
def asked(verb: str) -> Iterator[Asked]:
    """Have a request become a span of the first case on which it acts; of none, of nothing."""
    request = Asked(verb)
    before, outside = _ASKED.set(request), _HERE.set(None)
    try:
        yield request
    except BaseException as error:
        request.close(error)
        raise
    else:
        request.close()
    finally:
        _HERE.reset(outside)
        _ASKED.reset(before)


def received(traceparent: str, name: str, /, **about: str | int) -> AbstractContextManager[Open]:
    """Have what is done for a message be a span of the case, with a link to who sent it.

    It does not lie inside the sender: that is over, and each would lie in the one before.
    """
    sender = _read(traceparent)
    if sender is None:
        return nullcontext(Open())
    started = _used[0].start(name, _first(sender.trace), "CONSUMER", link=sender)
    return _within(started, about)


@contextmanager
def continued(traceparent: str) -> Iterator[None]:
    """Have what is done inside lie in a span of the process that started this one."""
    token = _HERE.set(Open(place=_read(traceparent)))
    try:
        yield
    finally:
        _HERE.reset(token)


def carried() -> dict[str, str]:
    """Return what goes with a message or to a child process: ``traceparent``, or nothing."""
    sender = here()
    if not on() or sender.place is None:
        return {}
    sender.busy = True
    written = _used[0].write(sender.place)
    return {TRACEPARENT: written} if written else {}


def ids() -> dict[str, str]:
    """Return what a line of the log says of the span in which it is written."""
    place = here().place
    return {"trace_id": f"{place.trace:032x}", "span_id": f"{place.span:016x}"} if place else {}


def over(case: UUID, began: datetime, ended: datetime, /, **about: str | int) -> None:
    """Write the span in which all others of a case lie, from its receipt to its end."""
    for recorder in _used:
        began_at = nanoseconds(began)
        span = recorder.first(_first(trace_of(case)), "case", began=began_at)
        span.note(attributes_of(about))
        span.close(at=max(began_at, nanoseconds(ended)))


@contextmanager
def _within(started: Recorded, about: Mapping[str, str | int]) -> Iterator[Open]:
    here().busy = True
    opened = Open(started)
    token = _HERE.set(opened)
    try:
        opened.note(**about)
        yield opened
    except BaseException as error:
        opened.close(error)
        raise
    else:
        opened.close()
    finally:
        _HERE.reset(token)


def _first(trace: int) -> Place:
    """Return the place of a case as a whole."""
    digest = hashlib.sha256(b"expunge case span" + trace.to_bytes(16)).digest()
    return Place(trace=trace, span=int.from_bytes(digest[:8]))


def _read(traceparent: str) -> Place | None:
    return _used[0].read(traceparent) if on() and traceparent else None
