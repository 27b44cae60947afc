"""Requests that the platform could not be told of: kept on disk, and sent later in their order.

The folder holds what people wrote, so only its owner may read it; it holds no key. Give it to one
platform, and not to ``HttpSink`` as its spool.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expunge.delivery import Delivery, deliver
from expunge.spool import Message, Outbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from expunge.calls import Calls, Json

_NAME = "requests"


@dataclass(frozen=True, kw_only=True)
class Buffer:
    """What waits in a folder to be sent."""

    folder: Path

    def __len__(self) -> int:
        return len(self._box.pending())

    def keep(self, address: str, body: Mapping[str, object], key: str) -> None:
        """Keep a call under its Idempotency-Key; when this returns it survives a power cut."""
        with self._box.locked():
            self._box.add(Message(kind=address, run=key, body=body))

    def send(self, calls: Calls) -> Delivery:
        """Send what waits. What the platform will never take is set aside with its reason.

        Raises:
            KeyNotAccepted: nothing is lost.
        """
        if not len(self):
            return Delivery()
        with closing(self._box) as box:
            return deliver(box, _Sending(calls))

    @property
    def _box(self) -> Outbox:
        return Outbox(self.folder / _NAME)


@dataclass(frozen=True)
class _Sending:
    calls: Calls

    def send(self, message: Message) -> Json:
        return self.calls.post(message.kind, message.body, key=message.run)
