"""Calls of the API: made again while the platform is away, where that can do no harm."""

from __future__ import annotations

import os
import random
import time
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import uuid4

import httpx

from expunge.connection import PlatformAway
from expunge.problems import raise_for
from expunge.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from expunge.configuration import Configuration

Json: TypeAlias = dict[str, Any]
Progress: TypeAlias = "Callable[[int, int | None], None]"  # (bytes here, bytes in all if known)
Answer = TypeVar("Answer")
_FIRST_PAUSE, _LONGEST_PAUSE, _CONNECT = 0.5, 20.0, 5.0


@dataclass
class Calls:
    """Calls below ``/api/v1/`` of a platform, over connections that are kept.

    * ``timeout``: seconds, for each answer or piece of one;
    * ``attempts``: how often a call is made that can be made again;
    * ``patience``: the longest pause, in seconds, that the platform may ask for;
    * ``pause``, ``draw``: waits some seconds, and gives a number from 0 to 1.
    """

    to: Configuration
    _: KW_ONLY
    timeout: float = 30.0
    attempts: int = 4
    patience: float = 60.0
    transport: httpx.BaseTransport | None = None
    pause: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    _http: httpx.Client | None = field(default=None, init=False, repr=False)

    def get(self, address: str, **query: str | int) -> Json:
        """Return JSON. Raises as ``raise_for``."""
        return self._again(_json, "GET", address, params=query)

    def listed(self, address: str) -> list[Json]:
        """Return a list that comes in one piece. Raises as ``raise_for``."""
        return self._again(_list, "GET", address)

    def text(self, address: str) -> str:
        """Return a text as it is. Raises as ``raise_for``."""
        return self._again(_text, "GET", address)

    def items(self, address: str, **query: str | int) -> Iterator[Json]:
        """Yield what is on all pages of a list; a page is asked for when it is reached."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(address, **query, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page["cursor"]

    def post(self, address: str, body: Mapping[str, Any], *, key: str = "") -> Json:
        """Post JSON under an Idempotency-Key, by which it is done once however often it is sent.

        Raises as ``raise_for``.
        """
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self._again(_json, "POST", address, json=dict(body), headers=headers)

    def delete(self, address: str) -> None:
        """Delete something; what is gone already is gone. Raises as ``raise_for``.

        Raises:
            NotThere: at the first attempt there was nothing.
        """
        attempts = 0

        def once() -> None:
            nonlocal attempts
            attempts += 1
            response = self._client().request("DELETE", address)
            # An answer that was lost may have been that it is deleted.
            if response.status_code != httpx.codes.NOT_FOUND or attempts == 1:
                raise_for(response)

        self._patiently(once)

    def download(
        self, address: str, to: Path, progress: Progress | None = None, **query: str | int
    ) -> Path:
        """Write a body to a file, which is there whole or not at all. Raises as ``raise_for``.

        Only its owner may read the file.
        """
        aside = to.with_name(f".{to.name}.{uuid4().hex}")
        try:
            self._patiently(lambda: self._fetch(address, query, aside, progress))
            aside.replace(to)
        finally:
            aside.unlink(missing_ok=True)
        return to

    def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()
            self._http = None

    # --- one call ---------------------------------------------------------------------------

    def _again(
        self,
        read: Callable[[httpx.Response], Answer],
        method: str,
        address: str,
        **parts: Any,  # noqa: ANN401  (of httpx)
    ) -> Answer:
        def once() -> Answer:
            response = self._client().request(method, address, **parts)
            raise_for(response)
            return read(response)

        return self._patiently(once)

    def _fetch(
        self, address: str, query: Mapping[str, Any], to: Path, progress: Progress | None
    ) -> None:
        with self._client().stream("GET", address, params=query) as response:
            if not response.is_success:
                response.read()
                raise_for(response)
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            with os.fdopen(
                os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as file:
                _copy(response, file, lambda done: progress and progress(done, total))

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        for attempt in range(1, self.attempts + 1):
            try:
                return self._made(call)
            except PlatformAway as away:
                wait = self._wait(attempt, away.after)
                if attempt == self.attempts or wait > self.patience:
                    raise
                self.pause(wait)
        raise ValueError(f"attempts is {self.attempts}; at least one is needed.")

    def _made(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except httpx.HTTPError as error:
            raise PlatformAway(f"{self.to.url} did not answer: {type(error).__name__}.") from error

    def _wait(self, attempt: int, asked: float | None) -> float:
        """Return seconds: those asked for, or a growing pause of which any part is drawn.

        Many clients that lost the same platform must not come back at the same moment.
        """
        longest = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)
        return asked + self.draw() if asked is not None else longest * self.draw()

    def _client(self) -> httpx.Client:
        if self._http is None:
            self._http = httpx.Client(
                base_url=f"{self.to.url}/api/v1/",
                headers={
                    "Authorization": f"Bearer {self.to.api_key}",
                    "User-Agent": f"expunge/{VERSION}",
                },
                timeout=httpx.Timeout(self.timeout, connect=min(self.timeout, _CONNECT)),
                transport=self.transport,
            )
        return self._http


def _text(response: httpx.Response) -> str:
    return response.text


def _json(response: httpx.Response) -> Json:
    return _of_type(dict, response)


def _list(response: httpx.Response) -> list[Json]:
    return _of_type(list, response)


def _of_type(kind: type[Answer], response: httpx.Response) -> Answer:
    try:
        found = response.json()
    except ValueError as error:
        raise PlatformAway(f"{response.url.host} answered something else than JSON.") from error
    if not isinstance(found, kind):
        raise PlatformAway(f"{response.url.host} answered JSON that is no {kind.__name__}.")
    return found


def _copy(response: httpx.Response, file: BinaryIO, told: Callable[[int], object]) -> None:
    done = 0
    for piece in response.iter_bytes():
        file.write(piece)
        done += len(piece)
        told(done)
