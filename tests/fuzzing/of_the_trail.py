"""Parsers of what a verifier is handed: records, bundles, signatures, stamps and keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import rfc8785

from audits.core import (
    account,
    canonical,
    case_bundle,
    events,
    flat_zip,
    manifest,
    note,
    proof,
    record,
    statement,
)
from expunge.standalone import verify as standalone
from tests.audits.core_trail import bundles, sealing
from tests.fuzzing.parser import Parser

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (canonical.NotCanonical, canonical.ShapeUnexpected)
OF_A_BUNDLE = (
    *(case_bundle.BundleRejected, manifest.ManifestRejected, record.RecordRejected),
    *(note.KeyMalformed, flat_zip.ZipRefused, *SHAPE),
)


def _stranger(data: bytes) -> object:
    return standalone.verify(standalone.read_zip(data), standalone.keys_in(sealing.VKEY))


def _stranger_file(data: bytes) -> object:
    """Run the program that travels with a bundle, on a record alone; its exit code says which."""
    code, words = standalone.run([str(_written(data)), "--key", sealing.VKEY])
    if code == 1 and words.startswith("REJECTED."):
        raise standalone.Rejected(words)
    return code


def _written(data: bytes) -> Path:
    import tempfile
    from pathlib import Path

    path = Path(tempfile.gettempdir()) / "expunge-fuzzed.json"
    path.write_bytes(data)
    return path


def parsers() -> tuple[Parser, ...]:
    """Return them, with what they take."""
    files = bundles.files()
    sealed, envelope = files[case_bundle.RECORD], files[case_bundle.EVIDENCE]
    value: Any = json.loads(sealed)
    told = statement.verify_statement(envelope, sealing.VKEY)
    checkpoint, a_proof = files[case_bundle.CHECKPOINT].decode(), files[case_bundle.PROOF].decode()
    others = {name: data for name, data in files.items() if name != case_bundle.MANIFEST}
    an_event = value["seal_event"]
    return (
        Parser(
            name="canonical JSON",
            reads="audits/core/canonical.py",
            call=canonical.read_json,
            refuses=SHAPE,
            seeds=(sealed, b'{"a":[1,2.5,null,"\xc3\xa9"]}', b"[]", b"-0.5e-7"),
        ),
        Parser(
            name="canonical base64",
            reads="audits/core/canonical.py",
            call=canonical.read_base64,
            refuses=SHAPE,
            seeds=("AAEC", "/+8=", ""),
        ),
        Parser(
            name="log entry",
            reads="audits/core/events.py",
            call=events.parse,
            refuses=(events.EventRefused,),
            seeds=(rfc8785.dumps(an_event),),
        ),
        Parser(
            name="event",
            reads="audits/core/events.py",
            call=events.from_json,
            refuses=(events.EventRefused,),
            seeds=(an_event,),
        ),
        Parser(
            name="verifier keys",
            reads="audits/core/note.py",
            call=note.parse_vkeys,
            refuses=(note.KeyMalformed,),
            seeds=(sealing.VKEY, f"{sealing.VKEY}\n{sealing.VKEY}"),
        ),
        Parser(
            name="checkpoint",
            reads="audits/core/note.py",
            call=lambda text: note.verify_checkpoint(text, sealing.VKEY),
            refuses=(note.NoteRejected, note.CheckpointMalformed),
            seeds=(checkpoint,),
        ),
        Parser(
            name="checkpoint text",
            reads="audits/core/note.py",
            call=note.parse_checkpoint,
            refuses=(note.CheckpointMalformed,),
            seeds=(checkpoint.partition("\n\n")[0] + "\n",),
        ),
        Parser(
            name="inclusion proof",
            reads="audits/core/proof.py",
            call=proof.parse_proof,
            refuses=(proof.ProofMalformed,),
            seeds=(a_proof,),
        ),
        Parser(
            name="signed statement",
            reads="audits/core/statement.py, envelope.py",
            call=lambda data: statement.verify_statement(data, sealing.VKEY),
            refuses=(statement.StatementRejected,),
            seeds=(envelope,),
        ),
        Parser(
            name="account of a case",
            reads="audits/core/account.py",
            call=lambda one: account.parse_account(
                statement.Statement(subjects=told.subjects, predicate=one)
            ),
            refuses=(account.AccountRefused,),
            seeds=(dict(told.predicate),),
        ),
        Parser(
            name="sealed record",
            reads="audits/core/record.py",
            call=lambda data: record.verify(data, vkey=sealing.VKEY),
            refuses=(record.RecordRejected,),
            seeds=(sealed,),
        ),
        Parser(
            name="manifest",
            reads="audits/core/manifest.py",
            call=lambda data: manifest.verify_manifest(data, others, sealing.VKEY),
            refuses=(manifest.ManifestRejected,),
            seeds=(files[case_bundle.MANIFEST],),
        ),
        Parser(
            name="zip",
            reads="audits/core/flat_zip.py",
            call=flat_zip.read,
            refuses=(flat_zip.ZipRefused,),
            seeds=(flat_zip.write({"a.txt": b"a", "b.txt": b"bb" * 40}), bundles.packed()),
        ),
        Parser(
            name="bundle",
            reads="audits/core/case_bundle.py",
            call=lambda data: case_bundle.verify_zip(data, vkey=sealing.VKEY),
            refuses=OF_A_BUNDLE,
            seeds=(bundles.packed(),),
        ),
        Parser(
            name="bundle, standalone",
            reads="expunge/standalone/verify.py",
            call=_stranger,
            refuses=(standalone.Rejected, standalone.NotJudged),
            seeds=(bundles.packed(),),
        ),
        Parser(
            name="record, standalone program",
            reads="expunge/standalone/verify.py",
            call=_stranger_file,
            refuses=(standalone.Rejected,),
            seeds=(sealed,),
        ),
        Parser(
            name="keys, standalone",
            reads="expunge/standalone/verify.py",
            call=standalone.keys_in,
            refuses=(standalone.NotJudged,),
            seeds=(sealing.VKEY, f"# keys\n{sealing.VKEY} - -\n"),
        ),
    )
