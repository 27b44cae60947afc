"""Proof that one entry is in the log: the C2SP tlog-proof v1 text, for a log with one signature.

It holds the entry's index, its Merkle path and the signed checkpoint. The optional ``extra`` line
of the standard is not authenticated, so it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from audits.core.canonical import read_base64, write_base64

HEADER = "c2sp.org/tlog-proof@v1"

_INDEX = re.compile(r"index (?P<index>0|[1-9][0-9]{0,15})")


class ProofMalformed(ValueError):
    """The text is not a proof as this module writes it."""


@dataclass(frozen=True, kw_only=True)
class TlogProof:
    """An index, the path of 32-byte hashes from the leaf's sibling up, and a signed checkpoint."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: str

    def encode(self) -> str:
        """The text of the proof."""
        hashes = "".join(write_base64(item) + "\n" for item in self.path)
        return f"{HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint_note}"


def parse_proof(text: str) -> TlogProof:
    """Read a proof; the checkpoint inside is not verified here. Raises ProofMalformed."""
    head, separator, note = text.partition("\n\n")
    header, _, rest = head.partition("\n")
    index, *hashes = rest.split("\n")
    match = _INDEX.fullmatch(index)
    if not separator or header != HEADER or match is None:
        raise ProofMalformed(f"A proof starts with {HEADER}, its index, hashes and a blank line.")
    try:
        path = tuple(map(read_base64, hashes))
    except ValueError as error:
        raise ProofMalformed(f"A hash of the proof is refused: {error}") from error
    return TlogProof(index=int(match["index"]), path=path, checkpoint_note=note)
