"""A mail server of the journey's own, that can be told to refuse."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_SECONDS = 30


class NoLetter(Exception):
    """The letter that was waited for did not come."""


class Mailbox:
    """Every letter that arrived, in order, as (address, text); ``refuses`` turns letters away."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []
        self.refuses = False

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: ANN401, ARG002, N802  (aiosmtpd's signature)
        """Take a letter, or say that there is no room."""
        if self.refuses:
            return "452 The mailbox is full"
        message = message_from_bytes(envelope.content, policy=policy.default)
        body = message.get_body(("plain",))
        text = body.get_content() if body else ""
        self.letters += [
            (address, f"{message['Subject']}\n{text}") for address in envelope.rcpt_tos
        ]
        return "250 Taken"

    def find(self, address: str, pattern: str) -> str:
        """Wait for a letter to an address that has a pattern; return the newest match.

        Raises:
            NoLetter: none came in time.
        """
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            for to, text in reversed(self.letters):
                found = re.search(pattern, text)
                if to == address and found:
                    return found.group(0)
            time.sleep(0.2)
        raise NoLetter(f"No letter to {address} has {pattern!r}.")


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    """Serve a mailbox on a port of this machine."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
