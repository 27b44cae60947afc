"""Refuse what is too large before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

_MEGABYTE = 2**20


class TooLarge(ValueError):
    """A request is larger than this platform takes."""


def check_size(request: HttpRequest, setting: str, what: str, *, hint: str = "") -> None:
    """Hold the announced length of a request to a setting, in megabytes.

    Raises:
        TooLarge: the sentence names what is too large, the limit and the setting, and the hint.
    """
    most = getattr(settings, setting)
    if int(request.headers.get("Content-Length") or 0) > most * _MEGABYTE:
        raise TooLarge(
            f"The {what} is larger than {most} MB, which is the setting {setting} of this "
            f"platform.{hint}"
        )
