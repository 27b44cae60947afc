"""To what address a key may be sent, and what a key can look like."""

from __future__ import annotations

import os
from ipaddress import ip_address

import httpx

INSECURE = "EXPUNGE_INSECURE"
_HIGHEST_PORT = 65_535
_LIKE = "write it like https://expunge.example.org."


class NotConfigured(ValueError):
    """Address or key of the platform are missing, or the file that names them cannot be used."""


def checked_url(url: str, *, insecure: bool = False) -> str:
    """Return an address without a slash at its end.

    ``http`` is for this machine alone, since whoever is on the way reads the key; elsewhere it
    needs ``insecure``, or EXPUNGE_INSECURE=1 in the environment of this process.

    Raises:
        NotConfigured: it is no such address; the sentence has no user and no password of it.
    """
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise NotConfigured(f"The address of the platform is none{_shown(url)}; {_LIKE}") from None
    if parts.userinfo or "@" in url:
        raise NotConfigured(
            "The address of the platform has a user or a password in it, which are not shown "
            f"here; the API key says who asks, so {_LIKE}"
        )
    if parts.scheme not in {"http", "https"} or not parts.host or parts.query or parts.fragment:
        raise NotConfigured(f"The address of the platform is no such{_shown(url)}; {_LIKE}")
    if (parts.port or 1) > _HIGHEST_PORT:
        raise NotConfigured(
            f"The port of the address is {parts.port}; allowed is up to {_HIGHEST_PORT}."
        )
    if parts.scheme == "http" and not _is_this_machine(parts.host) and not _allowed(insecure):
        raise NotConfigured(
            f"The address of the platform is http://{parts.host}: the API key would be readable "
            f"on the way. Write https://, or allow it with --insecure, insecure=True or "
            f"{INSECURE}=1."
        )
    return url.rstrip("/")


def checked_key(api_key: str) -> str:
    """Return a key. Raises NotConfigured, without a letter of it."""
    if not api_key or " " in api_key or not (api_key.isascii() and api_key.isprintable()):
        raise NotConfigured(
            "The API key is empty or has a space, a line break or a letter that no key has; "
            "allowed is what api_key create printed, on one line."
        )
    return api_key


def _allowed(insecure: bool) -> bool:  # noqa: FBT001  (the one thing that it is about)
    return insecure or os.environ.get(INSECURE) == "1"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: str) -> str:
    """Return a part of a sentence: an address that cannot be read may hide a password anywhere."""
    known = "" if "@" in url or "://" in url else url.partition("?")[0]
    return f": {known!r}" if known else ""
