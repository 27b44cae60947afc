"""Bring what lies in a spool to the platform, in order, each message once or more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expunge.connection import NotYourRun, PlatformAway, ReportRefused
from expunge.spool import outboxes

if TYPE_CHECKING:
    from pathlib import Path

    from expunge.connection import Connection
    from expunge.spool import Outbox


@dataclass(kw_only=True)
class Delivery:
    """What became of the messages: the last answer, and sentences of the platform."""

    sent: int = 0
    answer: dict[str, Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def deliver(box: Outbox, connection: Connection) -> Delivery:
    """Send the messages of one outbox; stop at the first that cannot be sent now.

    A message that the platform will never take is set aside with its reason.

    Raises:
        NotYourRun, KeyNotAccepted: nothing is lost; send it with another key.
    """
    made = Delivery()
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

    Raises:
        KeyNotAccepted: of no run; nothing is lost.
    """
    whole = Delivery()
    for box in outboxes(spool):
        try:
            made = deliver(box, connection)
        except NotYourRun as foreign:
            made = Delivery(waiting=[str(foreign)])
        whole.sent += made.sent
        whole.refused += made.refused
        whole.waiting += made.waiting
        box.close()
    return whole
