"""The events of a case as two files: ``events.jsonl`` to verify, ``events.csv`` to read.

A line of ``events.jsonl`` is the canonical JSON of an event, its index in the log and its Merkle
path to the root of the checkpoint; the last line is the event that seals the case. Version line of
both: that of the manifest. ``docs/evidence-format.md`` describes them.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from audits.core.canonical import write_base64, write_json
from lineage.core.plain_cell import plain_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audits.core.account import LoggedEvent

COLUMNS = ("index", "at", "type", "actor", "case", "data")


def events_jsonl(events: Iterable[tuple[LoggedEvent, Sequence[bytes]]]) -> bytes:
    """The events with their paths, one line each, in the order of the log."""
    lines = (
        write_json(
            {
                "event": one.event.to_json(),
                "index": one.index,
                "path": [write_base64(item) for item in path],
            }
        )
        for one, path in events
    )
    return b"".join(line + b"\n" for line in lines)


def events_csv(events: Iterable[LoggedEvent]) -> bytes:
    """The same events as a table; ``data`` is canonical JSON.

    No cell is read as a formula by a spreadsheet: see ``plain_cell``.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(map(_row, events))
    return text.getvalue().encode()


def _row(one: LoggedEvent) -> list[str]:
    event = one.event
    data = write_json(dict(event.data)).decode()
    cells = (str(one.index), event.at, event.type, event.actor, event.case or "", data)
    return [plain_cell(cell) for cell in cells]
