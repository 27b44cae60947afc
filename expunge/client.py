"""The platform's API from Python.

    with expunge.Client("https://expunge.example.org", api_key) as client:
        case = client.request(email="ada@example.org")
        for version in client.versions(model="faces"):
            print(version["name"], version["state"])

Address and key may be left out: see ``expunge.configuration``. Every call raises ``PlatformAway``,
``KeyNotAccepted`` or ``Refused`` (``NotThere``, ``Conflict``) with the sentence of the platform.
Calls that fail because it is away are made again with growing, partly random pauses. A write
carries an Idempotency-Key, by which it is done once however often it is sent.
"""

from __future__ import annotations

import os
import time
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from expunge.areas.cases import CaseCalls
from expunge.areas.deployments import DeploymentCalls
from expunge.areas.lineage import LineageCalls
from expunge.areas.serving import ServingCalls
from expunge.areas.webhooks import WebhookCalls
from expunge.buffer import Buffer
from expunge.calls import Calls
from expunge.configuration import configured
from expunge.connection import PlatformAway
from expunge.problems import Buffered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    import httpx

    from expunge.answers import Case
    from expunge.calls import Json
    from expunge.delivery import Delivery


@dataclass
class Client(CaseCalls, LineageCalls, ServingCalls, DeploymentCalls, WebhookCalls):
    """A platform, asked with one key.

    * ``url``, ``api_key``: where it is and who asks; by default from the environment or a file;
    * ``insecure``: allows http to another machine, over which the key can be read;
    * ``timeout``: seconds, for each answer; ``attempts``: how often a call is made;
    * ``buffer``: a folder for requests that the platform could not be told of;
    * ``transport``: of httpx, for a proxy or a test; ``pause``: waits some seconds.

    Raises:
        NotConfigured: address or key are given nowhere, or cannot be used.
    """

    url: str = ""
    api_key: str = field(default="", repr=False)
    _: KW_ONLY
    timeout: float = 30.0
    insecure: bool = False
    attempts: int = 4
    buffer: Path | str | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    transport: httpx.BaseTransport | None = field(default=None, repr=False)
    pause: Callable[[float], None] = field(default=time.sleep, repr=False)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)

    def __post_init__(self) -> None:
        to = configured(self.url, self.api_key, self.environ, insecure=self.insecure)
        self.url, self.api_key = to.url, to.api_key
        self._calls = Calls(
            to,
            timeout=self.timeout,
            attempts=self.attempts,
            transport=self.transport,
            pause=self.pause,
        )
        self.keep_in(self.buffer)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def keep_in(self, folder: Path | str | None) -> None:
        """Use another folder as the buffer, or none."""
        self.buffer = folder
        self._buffer = None if folder is None else Buffer(folder=Path(folder))

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._calls.close()

    def request(  # noqa: PLR0913  (the fields of a request)
        self,
        *,
        email: str,
        kind: str = "ERASURE",
        locale: str = "en",
        description: str = "",
        model_name: str = "",
        direct_marketing: bool = False,
        identifiers: Sequence[tuple[str, str]] = (),
        received_at: datetime | None = None,
        key: str = "",
    ) -> Case:
        """Hand in a request of a person, who gets a link to confirm it (scope ``intake``).

        Args:
            email: where the person is written to.
            kind: ERASURE, CONSENT, OBJECTION, RESTRICTION or SEEN_IN_OUTPUT.
            locale: the language of the letters.
            description: what the person wrote.
            model_name: which model it is about, if the person said.
            direct_marketing: whether an OBJECTION is to direct marketing.
            identifiers: (kind, value) by which the person may be known as well.
            received_at: when it came, with its zone; from then the deadline runs. By default now.
            key: the Idempotency-Key; give one where the same request may be handed in by another
                process again.

        Raises:
            Buffered: the platform is away, and the request is in the buffer; ``flush`` sends it.
        """
        body: Json = {
            "email": email,
            "kind": kind,
            "locale": locale,
            "description": description,
            "model_name": model_name,
            "direct_marketing": direct_marketing,
            "identifiers": [{"kind": one, "value": value} for one, value in identifiers],
        }
        if received_at is not None or self._buffer is not None:
            # The deadline runs from now, also where the platform hears of it tomorrow.
            body["received_at"] = (received_at or self.clock()).isoformat()
        return cast("Case", self._tell("cases", body, key or str(uuid4())))

    def flush(self) -> Delivery:
        """Send the requests that wait in the buffer; the platform's sentences are in the answer.

        Raises:
            KeyNotAccepted: nothing is lost.
        """
        if self._buffer is None:
            raise ValueError("This client has no buffer; give it one: Client(..., buffer=FOLDER).")
        return self._buffer.send(self._calls)

    def _tell(self, address: str, body: Json, key: str) -> Json:
        try:
            return self._calls.post(address, body, key=key)
        except PlatformAway as away:
            if self._buffer is None:
                raise
            self._buffer.keep(address, body, key)
            raise Buffered(
                f"{away} The request is kept in {self.buffer}; flush sends it."
            ) from away
