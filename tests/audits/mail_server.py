"""A mail server that is away."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.core.mail import EmailMessage

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_mail_server(
    error: type[Exception] = OSError, said: str = "no route"
) -> Iterator[pytest.MonkeyPatch]:
    """Let every message fail with this error, until the block ends or the patch is undone."""

    def refuse(_message: EmailMessage) -> None:
        raise error(said)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(EmailMessage, "send", refuse)
        yield broken
