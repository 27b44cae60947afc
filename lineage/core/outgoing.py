"""Calls that leave the machine, to a public address that is looked up once.

The address that was checked is the one connected to. So what somebody typed cannot lead into the
own network, neither at once nor by a name that points elsewhere at a second look-up.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Collection

LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What an address may look like; ``leaves_safely`` asks for more.
ADDRESS = r"https?://[^\s/?#@]+(/[^\s#@]*)?"
ADDRESS_WORDS = "an https:// address (http:// on this machine alone)"
HTTPS, HTTP = 443, 80
LOOK_UP = 10.0  # seconds
_LAST_PORT = 65_535
# What IANA gives out to the world, less what carries an IPv4 address inside (6to4, Teredo), is for
# protocols, or for documentation. Other forms with one inside, such as NAT64, lie outside of it:
# a gateway would take them to an address that nobody checked.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2002::/16", "3fff::/20")))


class HostNotPublic(ValueError):
    """A host cannot be one, has no address, or one that is not public; the sentence says which."""


class AnswerTooLong(ValueError):
    """The body of an answer has more bytes than are read."""


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


def pinned(address: str, *, private: Collection[str], seconds: float = LOOK_UP) -> Pinned:
    """Look the host of a URL up, once.

    Args:
        address: the URL.
        private: hosts that may have addresses which are not public.
        seconds: for the look-up.

    Raises:
        HostNotPublic: see there.
        TimeoutError: the look-up took longer.
    """
    url = usable(address)
    port = url.port or (HTTPS if url.scheme == "https" else HTTP)
    found = _address_of(url.host, port, private, seconds)
    return Pinned(
        url=url.copy_with(host=found),
        headers={"Host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.host},
    )


def usable(address: str) -> httpx.URL:
    """Return a URL whose host and port can be ones; nothing is looked up.

    Raises:
        HostNotPublic: they cannot.
    """
    try:
        url = httpx.URL(address)
        _ = url.host  # decodes an international name
    except httpx.InvalidURL:
        raise HostNotPublic(worded("The host or the port of the address cannot be one.")) from None
    except UnicodeError:
        raise HostNotPublic(
            worded("The host of the address is no valid international name.")
        ) from None
    if url.port is not None and not 0 < url.port <= _LAST_PORT:
        raise HostNotPublic(
            worded(
                "The port is %(port)s; allowed are 1 to %(last)s.", port=url.port, last=_LAST_PORT
            )
        )
    return url


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: ``body`` is empty unless it was asked for."""

    status: int
    headers: httpx.Headers
    body: bytes


def posted(
    address: str,
    *,
    private: Collection[str],
    body: bytes,
    headers: dict[str, str],
    seconds: float,
    most: int = 0,
) -> Answer:
    """Post to a URL whose host is looked up once, and return the answer.

    Args:
        address: the URL.
        private: hosts that may have addresses which are not public.
        body: what is sent.
        headers: beside those that name the host.
        seconds: for all of it, from the look-up to the last byte that is read: a receiver that
            sends one byte now and then is cut off as well.
        most: bytes of the answer's body that are read; more is an error, and with 0 none is read.

    Raises:
        HostNotPublic: see ``pinned``; nothing was sent.
        AnswerTooLong: its body has more than ``most`` bytes.
        TimeoutError, httpx.TimeoutException: it took longer.
        httpx.HTTPError, httpx.InvalidURL, OSError: there was no answer.
    """
    until = time.monotonic() + seconds
    to = pinned(address, private=private, seconds=seconds)
    left = max(until - time.monotonic(), 0.0)

    async def post() -> Answer:
        client = httpx.AsyncClient(timeout=left, trust_env=False, follow_redirects=False)
        async with asyncio.timeout(left), client:
            sent = client.build_request(
                "POST",
                to.url,
                content=body,
                headers={**to.headers, **headers},
                extensions=to.extensions,
            )
            answer = await client.send(sent, stream=True)
            try:
                data = await _read(answer, most) if most else b""
            finally:
                await answer.aclose()
            return Answer(status=answer.status_code, headers=answer.headers, body=data)

    # A thread of its own, as the caller's may have a loop, and be interrupted by a signal.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(post())).result()


async def _read(answer: httpx.Response, most: int) -> bytes:
    data = b""
    async for chunk in answer.aiter_bytes():
        data += chunk
        if len(data) > most:
            raise AnswerTooLong(worded("Its answer is longer than %(most)s bytes.", most=most))
    return data


def _looked_up(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host. Raises OSError, UnicodeError or TimeoutError.

    The system's resolver knows no deadline. It is left behind in a thread that ends when it does.
    """
    found: list[str] = []
    failed: list[Exception] = []

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(str(one[4][0]) for one in rows)
        except Exception as error:  # noqa: BLE001  (raised by who waits)
            failed.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(
            worded(
                "The address of %(host)s was not found in %(seconds)s seconds.",
                host=host,
                seconds=f"{seconds:g}",
            )
        )
    if failed:
        raise failed[0]
    return found


def _address_of(host: str, port: int, private: Collection[str], seconds: float) -> str:
    """Return one address of a host, all of which must be public unless the host is named."""
    try:
        found = _looked_up(host, port, seconds)
    except TimeoutError:
        raise
    except (OSError, UnicodeError):  # the latter for a name that no host can have
        raise HostNotPublic(worded("The host %(host)s has no address.", host=host)) from None
    addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
    if host not in private and not all(map(_is_public, addresses)):
        raise HostNotPublic(
            worded(
                "The host %(host)s has an address that is not public. If that is meant, add it to "
                "EXPUNGE_PRIVATE_HOSTS, or for a webhook to EXPUNGE_WEBHOOK_PRIVATE_HOSTS.",
                host=host,
            )
        )
    return str(addresses[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        given_out = address in _PUBLIC_V6 and not any(address in one for one in _NOT_PUBLIC_V6)
        return given_out and address.is_global
    return address.is_global and not address.is_multicast
