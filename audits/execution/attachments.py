"""The files inside the PDF: those that verify it, so that whoever has the report has them too.

They are the files of the bundle, byte for byte, but for ``keys.txt``, which lists the keys that
signed this record alone; so the same record gives the same PDF.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audits.core import case_bundle
from audits.core.graph_file import graph_json
from audits.core.key_list import KeyPeriod, keys_txt
from audits.core.note import parse_vkeys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audits.core.record import VerifiedRecord

STAMP = "stamp"  # its input is binary, so it goes to the template as a list of numbers


def attached_files(
    data: bytes, found: VerifiedRecord, *, keys: bytes, scores: str, stamp: bytes = b""
) -> dict[str, str]:
    """Return the inputs of ``record.typ`` for what is attached; an empty one is left out there.

    Args:
        data: the bytes of the record.
        found: what it says, verified.
        keys: ``keys.txt``, of ``keys_of``.
        scores: the numbers that verdicts recompute from, as CSV.
        stamp: the time stamp token of the record's checkpoint (RFC 3161), if there is one.
    """
    derived = case_bundle.derived(data, found)
    return {
        "record": data.decode(),
        "evidence": derived[case_bundle.EVIDENCE].decode(),
        "proof": derived[case_bundle.PROOF].decode(),
        "checkpoint": derived[case_bundle.CHECKPOINT].decode(),
        "events": derived[case_bundle.EVENTS].decode(),
        "scores": scores,
        "graph": graph_json(found.account).decode(),
        "keys": keys.decode(),
        "program": case_bundle.STANDALONE.read_text(),
        STAMP: json.dumps(list(stamp)) if stamp else "",
    }


def keys_of(vkey: str, periods: Sequence[KeyPeriod], *, sealed_at: datetime) -> bytes:
    """Return ``keys.txt`` of these verifier keys as it stood when the record was sealed."""
    known = {one.vkey: one for one in periods}
    return keys_txt(
        [
            _as_of(known.get(one.text, KeyPeriod(vkey=one.text)), sealed_at)
            for one in parse_vkeys(vkey)
        ]
    )


def _as_of(period: KeyPeriod, moment: datetime) -> KeyPeriod:
    over = period.until is not None and period.until <= moment
    return period if over else KeyPeriod(vkey=period.vkey, since=period.since)
