"""Many people who send the public form at the same time, each from an address of their own.

A client for one thing: it opens a connection for each page, keeps cookies, posts what the page
holds, and never waits for ever. No Django here: the server is another process.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

FORM, SENT = "/erasure/consent/", "/erasure/received/"
TRIES, SECONDS = 3, 120.0  # how often a poster sends, and how long one answer may take
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_STAMP = re.compile(r'name="stamp"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="stamp"')
_REFERENCE = re.compile(r"ER-[0-9A-Z]{4}-[0-9A-Z]{4}")


@dataclass(kw_only=True)
class Poster:
    """One person: what they sent, and what they were told.

    ``seconds`` from each press of the button to its answer; ``refused`` are the answers that were
    no reference, by status, 0 for a connection that broke.
    """

    number: int
    email: str
    reference: str = ""
    seconds: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """An address of a network that nobody else posts from."""
        return f"10.{self.number >> 8 & 255}.{self.number & 255}.7"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said."""

    status: int
    location: str
    text: str


async def post_all(site: str, posters: Iterable[Poster], *, at_once: int) -> float:
    """Let everybody send one form, so many at the same time; return the seconds for all."""
    free = asyncio.Semaphore(at_once)

    async def one(poster: Poster) -> None:
        async with free:
            await _post(site, poster)

    started = time.perf_counter()
    await asyncio.gather(*(one(poster) for poster in posters))
    return time.perf_counter() - started


async def read_all(site: str, paths: Iterable[str], *, at_once: int) -> list[str]:
    """Return the texts of some pages, empty where one was not shown."""
    free = asyncio.Semaphore(at_once)

    async def one(number: int, path: str) -> str:
        async with free:
            answer = await _ask(site, Poster(number=number, email=""), path)
        return answer.text if answer.status == HTTPStatus.OK else ""

    return list(await asyncio.gather(*(one(*each) for each in enumerate(paths))))


async def _post(site: str, poster: Poster) -> None:
    for _ in range(TRIES):
        first = await _ask(site, poster, FORM)
        page = await _ask(site, poster, first.location)
        token, stamp = _TOKEN.search(page.text), _STAMP.search(page.text)
        if not (token and stamp):
            poster.refused.append(page.status)
            continue
        said = {
            "csrfmiddlewaretoken": token[1],
            "stamp": stamp[1] or stamp[2],
            "email": poster.email,
            "website": "",
            "proof": "",
        }
        started = time.perf_counter()
        sent = await _ask(site, poster, first.location, said)
        poster.seconds.append(time.perf_counter() - started)
        if sent.location.endswith(SENT):
            told = await _ask(site, poster, SENT)
            found = _REFERENCE.search(told.text)
            poster.reference = found[0] if found else ""
            return
        poster.refused.append(sent.status)


async def _ask(site: str, poster: Poster, path: str, said: dict[str, str] | None = None) -> Answer:
    """Get a page, or post to it; a connection that breaks is an answer with status 0."""
    try:
        return await asyncio.wait_for(_exchange(site, poster, path, said), SECONDS)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return Answer(status=0, location="", text="")


async def _exchange(site: str, poster: Poster, path: str, said: dict[str, str] | None) -> Answer:
    where = urlsplit(site)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(_request(site, poster, path, said))
        await writer.drain()
        raw = await reader.read()
    finally:
        writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    location = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            poster.cookies |= {key: one.value for key, one in SimpleCookie(value).items()}
        elif name.lower() == "location":
            location = urlsplit(value).path
    status = int(first.split(" ")[1]) if first else 0
    return Answer(status=status, location=location, text=body.decode(errors="replace"))


def _request(site: str, poster: Poster, path: str, said: dict[str, str] | None) -> bytes:
    """Return what the proxy passes on: who it is for, and that it came by https."""
    body = urlencode(said or {}).encode()
    lines = [
        f"{'POST' if said else 'GET'} {path} HTTP/1.1",
        f"Host: {urlsplit(site).netloc}",
        "Connection: close",
        "X-Forwarded-Proto: https",
        f"X-Forwarded-For: {poster.address}",
        f"Referer: {site}{path}",
        f"Origin: {site}",
    ]
    if poster.cookies:
        lines.append("Cookie: " + "; ".join(f"{key}={one}" for key, one in poster.cookies.items()))
    if said:
        lines.append("Content-Type: application/x-www-form-urlencoded")
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body if said else b"")
