"""The platform over HTTP: one call, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from expunge.addresses import checked_key, checked_url
from expunge.wire import NOT_YOUR_RUN, dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expunge.spool import Message

_OK, _BAD = 200, 400
_KEY = {401, 403}
_LATER = {408, 425, 429}
_PROBLEM = "application/problem+json"


class PlatformAway(ConnectionError):
    """The platform did not answer, or says that it cannot now: the same call may work later.

    ``after``: the seconds that it asked for, where it did.
    """

    after: float | None = None


class KeyNotAccepted(PermissionError):
    """The platform does not take the API key: the same call may work with another."""


class NotYourRun(KeyNotAccepted):
    """A run was begun with a key of another name: of other runs the platform takes this one."""


class ReportRefused(ValueError):
    """The platform will never take this call; the sentence is its own."""


@dataclass(kw_only=True)
class Connection:
    """Calls below ``/api/v1/capture`` of a platform, or below another ``area``.

    * ``url``: of the platform, such as ``https://expunge.example.org``;
    * ``api_key``: with the scope of the area;
    * ``timeout``: in seconds, for each call;
    * ``insecure``: allows http to another machine than this one.

    Raises:
        NotConfigured: address or key cannot be used.
    """

    url: str
    api_key: str = field(repr=False)
    timeout: float = 30.0
    area: str = "capture"
    insecure: bool = False

    def __post_init__(self) -> None:
        checked_url(self.url, insecure=self.insecure)
        checked_key(self.api_key)
        self._trust = httpx.create_ssl_context()  # slow to make, so once

    def send(self, message: Message) -> dict[str, Any]:
        """Hand in a message of a spool. Raises as ``post``."""
        address = f"runs/{message.run}/{message.kind}"
        if not message.files:
            return self.post(address, message.body)
        files = {name: (name, data) for name, data in message.files.items()}
        return self._json(self._call("POST", address, files=files))

    def post(self, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post JSON and return the answer.

        Raises:
            PlatformAway: no answer, an error of the server, or "later".
            NotYourRun: 403 with that type; KeyNotAccepted: any other 401 or 403.
            ReportRefused: any other refusal.
        """
        try:
            content = dumps(body)
        except ValueError:
            # No platform takes it, and what lies behind it in a spool must not wait for it.
            raise ReportRefused(
                f"{address.rpartition('/')[2]} has NaN or an infinite number, which JSON has not."
            ) from None
        of_json = {"Content-Type": "application/json"}
        return self._json(self._call("POST", address, content=content, headers=of_json))

    def get(self, address: str, **query: int) -> dict[str, Any]:
        """Return JSON. Raises as ``post``."""
        return self._json(self._call("GET", address, params=query))

    def get_bytes(self, address: str) -> bytes:
        """Return a body as it is. Raises as ``post``."""
        return self._call("GET", address).content

    def _call(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        **parts: Any,  # noqa: ANN401  (of httpx)
    ) -> httpx.Response:
        try:
            # A connection for each call: calls are rare, and may come from a thread or a fork.
            response = httpx.request(
                method,
                f"{self.url.rstrip('/')}/api/v1/{self.area}/{address}",
                headers={**(headers or {}), "Authorization": f"Bearer {self.api_key}"},
                timeout=httpx.Timeout(self.timeout, connect=min(self.timeout, 5.0)),
                verify=self._trust,
                **parts,
            )
        except httpx.HTTPError as error:
            raise PlatformAway(f"{self.url} did not answer: {type(error).__name__}.") from error
        if response.status_code == _OK:
            return response
        sentence = f"{self.url} answered {response.status_code}: {_detail(response)}"
        if response.status_code in _KEY:
            foreign = _is_problem(response) and response.json().get("type") == NOT_YOUR_RUN
            raise (NotYourRun if foreign else KeyNotAccepted)(sentence)
        # Another server at this address, a proxy or a redirect, is no answer of the platform's.
        final = _is_problem(response) and _BAD <= response.status_code < _BAD + 100
        if final and response.status_code not in _LATER:
            raise ReportRefused(sentence)
        raise PlatformAway(sentence)

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        try:
            found: dict[str, Any] = response.json()
        except ValueError as error:
            raise PlatformAway(f"{self.url} answered something else than JSON.") from error
        return found


def _is_problem(response: httpx.Response) -> bool:
    kind: str = response.headers.get("Content-Type", "")
    return kind.startswith(_PROBLEM)


def _detail(response: httpx.Response) -> str:
    return str(response.json()["detail"]) if _is_problem(response) else response.reason_phrase
