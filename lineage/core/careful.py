"""A recorder of spans whose errors stay with it: work for a person never fails for a trace."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lineage.core.recorded import Kind, Place, Recorded, Recorder

logger = logging.getLogger("expunge.traces")


class Careful:
    """Passes on to a recorder what it is told, and logs what that one cannot do."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def start(
        self,
        name: str,
        parent: Place,
        kind: Kind,
        *,
        link: Place | None = None,
        began: int | None = None,
    ) -> CarefulSpan:
        """Begin a span in another one; where that fails, nothing is recorded of it."""
        return _span(
            parent,
            lambda: self._recorder.start(name, parent, kind, link=link, began=began),
        )

    def first(self, place: Place, name: str, *, began: int) -> CarefulSpan:
        """Begin a span that lies in no other and has the ids of a place."""
        return _span(place, lambda: self._recorder.first(place, name, began=began))

    def write(self, place: Place) -> str:
        """Return a ``traceparent`` that names a place; where that fails, an empty one."""
        try:
            return self._recorder.write(place)
        except Exception:  # of somebody else's package
            logger.exception("a place of a trace cannot be written")
            return ""

    def read(self, traceparent: str) -> Place | None:
        """Return the place that a ``traceparent`` names, if it can be read."""
        try:
            return self._recorder.read(traceparent)
        except Exception:  # of somebody else's package
            logger.exception("a place of a trace cannot be read")
            return None


class CarefulSpan:
    """A span of a recorder, or of none where it could not be begun."""

    def __init__(self, span: Recorded | None, place: Place) -> None:
        self._span, self._place = span, place

    @property
    def place(self) -> Place:
        """Return what others name it by; that of the span around it where there is none."""
        return self._place

    def note(self, attributes: Mapping[str, str | int]) -> None:
        """Say more of it."""
        self._do(lambda span: span.note(attributes))

    def event(self, name: str, attributes: Mapping[str, str | int]) -> None:
        """Say what happened in it at this moment."""
        self._do(lambda span: span.event(name, attributes))

    def close(self, *, failed: bool = False, at: int | None = None) -> None:
        """End it, now or at a time in nanoseconds since 1970."""
        self._do(lambda span: span.close(failed=failed, at=at))

    def _do(self, said: Callable[[Recorded], None]) -> None:
        if self._span is None:
            return
        try:
            said(self._span)
        except Exception:  # of somebody else's package
            logger.exception("a span cannot be recorded")


def _span(place: Place, begin: Callable[[], Recorded]) -> CarefulSpan:
    try:
        span = begin()
        return CarefulSpan(span, span.place)
    except Exception:  # of somebody else's package
        logger.exception("a span cannot be begun")
        return CarefulSpan(None, place)
