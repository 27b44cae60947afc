"""An exported case as one zip, with everything to verify it and a program that does.

Every file is drawn from the sealed record, except ``report.pdf``, ``scores.csv`` and ``keys.txt``,
which come from outside, and ``verify.py``, which is ``expunge/standalone/verify.py`` byte for
byte. So the same record gives the same zip. Where the report has a seal, ``seal.crt`` is its
certificate; where another authority stamped the checkpoint, ``checkpoint.tsr`` is its token. A
manifest signs for every file; ``docs/evidence-format.md`` describes them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from audits.core import flat_zip, record
from audits.core.canonical import as_list, as_object, as_text, read_base64, read_json, write_json
from audits.core.event_files import events_csv, events_jsonl
from audits.core.graph_file import FORMAT as GRAPH_FORMAT
from audits.core.graph_file import graph_json
from audits.core.key_list import keys_txt
from audits.core.manifest import ManifestRejected, sign_manifest, verify_manifest
from audits.core.proof import parse_proof
from expunge.standalone import verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.key_list import KeyPeriod
    from audits.core.manifest import ListedFile
    from audits.core.note import Signer
    from audits.core.record import VerifiedRecord

RECORD, REPORT, MANIFEST = "record.json", "report.pdf", "manifest.json"
EVIDENCE, PROOF, CHECKPOINT = "evidence.dsse.json", "case.tlog-proof", "checkpoint.txt"
EVENTS, TABLE, SCORES = "events.jsonl", "events.csv", "scores.csv"
GRAPH, KEYS, PROGRAM = "graph.json", "keys.txt", "verify.py"
CERTIFICATE, STAMP = "seal.crt", "checkpoint.tsr"  # not in every bundle
NAMES = frozenset(
    {RECORD, REPORT, MANIFEST, EVIDENCE, PROOF, CHECKPOINT, EVENTS, TABLE, SCORES, GRAPH}
    | {KEYS, PROGRAM}
)
STANDALONE = Path(verify.__file__)


class BundleRejected(ValueError):
    """The files are not those of one exported case."""


def pack(  # noqa: PLR0913  (the parts of a bundle)
    *,
    sealed: bytes,
    report: bytes,
    scores: str,
    periods: Sequence[KeyPeriod],
    key: Signer,
    vkey: str = "",
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """The zip of a case.

    Args:
        sealed: the bytes of its record.
        report: the PDF.
        scores: the numbers that verdicts recompute from, as CSV; may be empty.
        periods: keys that signed, for ``keys.txt``.
        key: signs the manifest.
        vkey: the public keys that the record was sealed with, one a line; that of ``key`` if
            none is given.

        more: ``seal.crt`` and ``checkpoint.tsr`` by name; what is empty is left out.

    Raises:
        RecordRejected: the record does not verify with these keys.
    """
    found = record.verify(sealed, vkey=vkey or key.verifier.text)
    files = {
        **derived(sealed, found),
        RECORD: sealed,
        REPORT: report,
        SCORES: scores.encode(),
        GRAPH: graph_json(found.account),
        KEYS: keys_txt(periods),
        PROGRAM: STANDALONE.read_bytes(),
        **{name: content for name, content in (more or {}).items() if content},
    }
    return flat_zip.write({**files, MANIFEST: sign_manifest(files, key)})


def derived(sealed: bytes, found: VerifiedRecord) -> dict[str, bytes]:
    """The files that a verifier draws again from a verified record, to compare them."""
    value = as_object(read_json(sealed), keys=record.MEMBERS, what="A record")
    text = as_text(value["proof"], what="proof")
    proof = parse_proof(text)
    paths = [
        [read_base64(as_text(item, what="a hash")) for item in as_list(path, what="a path")]
        for path in as_list(value["event_paths"], what="event_paths")
    ]
    events = (*found.account.events, found.seal)
    return {
        EVIDENCE: write_json(value["envelope"]),
        PROOF: text.encode(),
        CHECKPOINT: proof.checkpoint_note.encode(),
        EVENTS: events_jsonl(zip(events, [*paths, proof.path], strict=True)),
        TABLE: events_csv(events),
    }


def verify_zip(data: bytes, *, vkey: str) -> tuple[VerifiedRecord, tuple[ListedFile, ...]]:
    """Verify a zip. Raises ZipRefused, and as ``verify_files``."""
    return verify_files(flat_zip.read(data), vkey=vkey)


def verify_files(
    files: Mapping[str, bytes], *, vkey: str
) -> tuple[VerifiedRecord, tuple[ListedFile, ...]]:
    """Return what the record says and what the manifest lists, once all files are checked.

    ``report.pdf``, ``scores.csv``, ``keys.txt`` and ``verify.py`` rest on the manifest alone.

    Raises:
        BundleRejected, ManifestRejected, RecordRejected: with the file or the step that failed.
        NotCanonical, ShapeUnexpected: of ``graph.json``.
        KeyMalformed: vkey is not a verifier key.
    """
    missing = sorted(NAMES - files.keys())
    if missing:
        raise BundleRejected(f"These files are missing: {', '.join(missing)}.")
    others = {name: data for name, data in files.items() if name != MANIFEST}
    listed = verify_manifest(files[MANIFEST], others, vkey)
    found = record.verify(files[RECORD], vkey=vkey)
    for name, data in derived(files[RECORD], found).items():
        if files[name] != data:
            raise BundleRejected(f"{name} is not what the record says.")
    if STAMP in files and hashlib.sha256(files[CHECKPOINT]).digest() not in files[STAMP]:
        raise BundleRejected(f"{STAMP} is not a time stamp of {CHECKPOINT}.")
    graph = read_json(files[GRAPH])
    if not isinstance(graph, dict) or graph.get("format") != GRAPH_FORMAT:
        raise BundleRejected(f"{GRAPH} is not of the format {GRAPH_FORMAT}.")
    return found, listed


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder that a zip was unpacked into, by name; it holds nothing else.

    Raises:
        BundleRejected, ManifestRejected: with the file.
    """
    entries = sorted(folder.iterdir())
    strange = [one.name for one in entries if one.is_symlink() or not one.is_file()]
    if strange:
        raise BundleRejected(f"The folder holds something that is not a file: {strange[0]!a}.")
    try:
        return {one.name: one.read_bytes() for one in entries}
    except OSError as error:
        raise ManifestRejected(f"A file of the folder cannot be read: {error}") from error
