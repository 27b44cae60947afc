"""Bring what lies in a spool to the platform, in order, each message once or more."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from expunge.connection import KeyNotAccepted, NotYourRun, PlatformAway, ReportRefused
from expunge.spool import outboxes

if TYPE_CHECKING:
    from pathlib import Path

    from expunge.connection import Connection
    from expunge.spool import Message, Outbox


class Sender(Protocol):
    """Hands in one message. Raises as ``Connection.post``."""

    def send(self, message: Message) -> dict[str, Any]:
        """Return the answer of the platform."""


@dataclass(kw_only=True)
class Delivery:
    """What became of the messages: the last answer, and sentences of the platform."""

    sent: int = 0
    answer: dict[str, Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def deliver(box: Outbox, connection: Sender, *, made: Delivery | None = None) -> Delivery:
    """Send the messages of one outbox; stop at the first that cannot be sent now.

    A message that the platform will never take is set aside with its reason. What becomes of each
    is written into ``made``, if that is given, and stands there if this raises as well.

    Raises:
        NotYourRun, KeyNotAccepted: nothing is lost; send it with another key.
    """
    made = Delivery() if made is None else made
    with box.locked():
        for path in box.pending():
            try:
                made.answer = connection.send(box.read(path))
            except PlatformAway as away:
                made.waiting.append(str(away))
                return made
            except ReportRefused as refused:
                box.set_aside(path, str(refused))
                made.refused.append(str(refused))
            else:
                box.done(path)
                made.sent += 1
    return made


def flush(spool: Path, connection: Connection) -> Delivery:
    """Send whatever lies in a spool, of any run; what is of another key's name waits there.

    A key that the platform takes for no run ends it: the rest waits as well.
    """
    made = Delivery()
    for box in outboxes(spool):
        with closing(box):
            try:
                deliver(box, connection, made=made)
            except NotYourRun as foreign:
                made.waiting.append(str(foreign))
            except KeyNotAccepted as refused:
                made.waiting.append(str(refused))
                return made
    return made
