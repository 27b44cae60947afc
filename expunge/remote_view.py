"""What may be trained on, asked of a platform over HTTP."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyroaring import BitMap

from expunge.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_ONCE = 5_000
_PAGE = 256


@dataclass(frozen=True, kw_only=True)
class RemoteRecord:
    """One record as training sees it."""

    ordinal: int
    content: bytes = field(repr=False)
    target: str
    media_type: str


@dataclass(frozen=True, kw_only=True)
class RemoteView:
    """The records of a snapshot that may be used: without the restricted and the erased."""

    snapshot: str
    dataset: str
    ordinals: BitMap = field(repr=False)
    connection: Connection = field(repr=False)

    def __len__(self) -> int:
        return len(self.ordinals)

    def __iter__(self) -> Iterator[RemoteRecord]:
        """Yield the records with their contents. Raises as ``Connection.post``."""
        start: int | None = 0
        while start is not None:
            page = self.connection.get(
                f"snapshots/{self.snapshot}/records", start=start, size=_PAGE
            )
            for record in page["records"]:
                content = base64.b64decode(record.pop("content"))
                yield RemoteRecord(content=content, **record)
            start = page["next"]

    def translate(
        self, names: Sequence[tuple[str, str]], *, kind: str = "EXTERNAL"
    ) -> list[int | None]:
        """Return the ordinals of records that the script knows by person and key.

        Args:
            names: (identifier of the person, key of the record), as in the manifest that was
                imported. They are sent to the platform, and it does not keep them.
            kind: of the identifiers, EXTERNAL or EMAIL.

        Returns:
            One for each name: None where the view does not hold it, as when the person asked to
            be erased. Leave those records out.
        """
        found: list[int | None] = []
        for first in range(0, len(names), _AT_ONCE):
            some = [
                {"kind": kind, "subject": subject, "key": key}
                for subject, key in names[first : first + _AT_ONCE]
            ]
            answer = self.connection.post(f"snapshots/{self.snapshot}/translate", {"names": some})
            found += answer["ordinals"]
        return found


def remote_view(
    url: str,
    api_key: str,
    *,
    snapshot: str = "",
    dataset: str = "",
    timeout: float = 60.0,
    insecure: bool = False,
) -> RemoteView:
    """Open the training view of a snapshot, or of the newest one of a data set.

    ``insecure`` is that of ``Connection``.

    Raises:
        PlatformAway, KeyNotAccepted, ReportRefused: see ``Connection.post``.
    """
    connection = Connection(url=url, api_key=api_key, timeout=timeout, insecure=insecure)
    address = f"snapshots/{snapshot}" if snapshot else f"datasets/{dataset}/newest"
    described = connection.get(address)
    name = described["snapshot"]
    return RemoteView(
        snapshot=name,
        dataset=described["dataset"],
        ordinals=BitMap.deserialize(connection.get_bytes(f"snapshots/{name}/ordinals")),
        connection=connection,
    )
