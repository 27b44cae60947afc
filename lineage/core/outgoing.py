"""Calls that leave the machine, to a public address that is looked up once.

The address that was checked is the one connected to. So what somebody typed cannot lead into the
own network, neither at once nor by a name that points elsewhere at a second look-up.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Collection

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What an address may look like; ``leaves_safely`` asks for more.
ADDRESS = r"https?://[^\s/?#@]+(/[^\s#@]*)?"
ADDRESS_WORDS = "an https:// address (http:// on this machine alone)"
HTTPS, HTTP = 443, 80


class HostNotPublic(ValueError):
    """A host has no address, or one that is not public; the sentence names it."""


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A URL with the address in place of its host, and what keeps the host's name."""

    url: httpx.URL
    headers: dict[str, str]
    extensions: dict[str, Any]


def leaves_safely(url: str) -> bool:
    """Return whether what is sent to a URL is encrypted, or stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def pinned(address: str, *, private: Collection[str]) -> Pinned:
    """Look the host of a URL up, once.

    Args:
        address: the URL.
        private: hosts that may have addresses which are not public.

    Raises:
        HostNotPublic: see there.
    """
    url = httpx.URL(address)
    found = _address_of(url.host, url.port or (HTTPS if url.scheme == "https" else HTTP), private)
    return Pinned(
        url=url.copy_with(host=found),
        headers={"Host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.host},
    )


def _address_of(host: str, port: int, private: Collection[str]) -> str:
    """Return one address of a host, all of which must be public unless the host is named."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter for a name that no host can have
        raise HostNotPublic(f"The host {host} has no address.") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if host not in private and not all(map(_is_public, addresses)):
        raise HostNotPublic(
            f"The host {host} has an address that is not public. If that is meant, add it to "
            "EXPUNGE_PRIVATE_HOSTS, or for a webhook to EXPUNGE_WEBHOOK_PRIVATE_HOSTS."
        )
    return str(addresses[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_global) and not mapped.is_multicast
