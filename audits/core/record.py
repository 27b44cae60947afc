"""The sealed record of one case: a file that a stranger can verify without this software.

The flow: sign the account (``sign_account``), log the event that names it (``draft_seal``), sign a
checkpoint of the log that holds this event, then bind all of it (``assemble``). ``verify`` rejects
the file if any byte differs from what ``assemble`` wrote; the numbers of its steps are those of
``docs/evidence-format.md``.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.account import Account, LoggedEvent, parse_account
from audits.core.canonical import (
    as_list,
    as_object,
    as_text,
    read_base64,
    read_json,
    sha256,
    write_base64,
    write_json,
)
from audits.core.events import Event, draft, encode, from_json
from audits.core.ledger import leaf_hash, verify_inclusion
from audits.core.note import Checkpoint, Signer, parse_vkeys, verify_checkpoint
from audits.core.proof import TlogProof, parse_proof
from audits.core.statement import sign_statement, verify_statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

FORMAT = "expunge-record/1"
MEMBERS = frozenset({"format", "envelope", "seal_event", "proof", "event_paths"})


class RecordRejected(ValueError):
    """A file is not a record sealed with the expected key; the message names the failed step."""


@dataclass(frozen=True, kw_only=True)
class VerifiedRecord:
    """What a record says, after every check has passed.

    ``checkpoint`` is for comparison with one that somebody else holds: the record alone shows that
    the log contained these events, not that no other log was shown to others.
    """

    account: Account
    seal: LoggedEvent
    checkpoint: Checkpoint
    digest: str


def sign_account(account: Account, key: Signer) -> bytes:
    """The signed envelope of an account: canonical JSON bytes."""
    return sign_statement(account.to_statement(), key)


def draft_seal(envelope: bytes, account: Account, *, at: datetime, actor: str) -> Event:
    """The event to log: it names the envelope by its SHA-256."""
    data = {"record": sha256(envelope), "outcome": account.outcome}
    return draft("case_sealed", data, at=at, actor=actor, case=uuid.UUID(account.case))


def assemble(
    *,
    envelope: bytes,
    seal: LoggedEvent,
    paths: Mapping[int, Sequence[bytes]],
    checkpoint_note: str,
    vkey: str,
) -> bytes:
    """Bind envelope, seal event and proofs into the record's file, and verify it.

    Args:
        envelope: of ``sign_account``.
        seal: the event of ``draft_seal``, at its index in the log.
        paths: inclusion path by index, for the seal and every event of the account, all in the
            tree of the checkpoint (``ledger.inclusion_paths``).
        checkpoint_note: a signed checkpoint that covers the seal.
        vkey: the public key, to check the result with.

    Raises:
        RecordRejected: the parts do not belong together; nothing is returned then.
    """
    account = _account(envelope, vkey)
    missing = {one.index for one in (seal, *account.events)} - paths.keys()
    if missing:
        raise RecordRejected(f"paths has no inclusion path for the indices {sorted(missing)}.")
    proof = TlogProof(
        index=seal.index, path=tuple(paths[seal.index]), checkpoint_note=checkpoint_note
    )
    value = {
        "format": FORMAT,
        "envelope": read_json(envelope),
        "seal_event": seal.event.to_json(),
        "proof": proof.encode(),
        "event_paths": [[*map(write_base64, paths[one.index])] for one in account.events],
    }
    data = write_json(value)
    verify(data, vkey=vkey)
    return data


def verify(data: bytes, *, vkey: str) -> VerifiedRecord:
    """Check a record's file with a key that is not taken from the file.

    Raises:
        RecordRejected: a step failed, so nothing in the file may be relied upon.
        KeyMalformed: vkey is not verifier keys, one a line.
    """
    parse_vkeys(vkey)
    with _step(1, "the file"):
        value = as_object(read_json(data), keys=MEMBERS, what="A record")
        _require(f"The format is not {FORMAT}.", holds=value["format"] == FORMAT)
    envelope = write_json(value["envelope"])
    account = _account(envelope, vkey)
    with _step(4, "the seal event"):
        event = from_json(value["seal_event"])
        _check_seal(event, account, digest=sha256(envelope))
    with _step(5, "the checkpoint"):
        proof = parse_proof(as_text(value["proof"], what="proof"))
        checkpoint = verify_checkpoint(proof.checkpoint_note, vkey)
    seal = LoggedEvent(index=proof.index, event=event)
    with _step(6, "the seal event in the log"):
        _check_logged(seal, proof.path, checkpoint)
    with _step(7, "the events in the log"):
        _check_events(account, value["event_paths"], seal=seal, checkpoint=checkpoint)
    return VerifiedRecord(
        account=account, seal=seal, checkpoint=checkpoint, digest=sha256(envelope)
    )


def _account(envelope: bytes, vkey: str) -> Account:
    with _step(2, "the signed statement"):
        statement = verify_statement(envelope, vkey)
    with _step(3, "the account of the case"):
        return parse_account(statement)


def _check_seal(event: Event, account: Account, *, digest: str) -> None:
    _require("It is not a case_sealed event.", holds=event.type == "case_sealed")
    _require("It names another envelope.", holds=event.data["record"] == digest)
    _require("It names another case.", holds=event.case == account.case)
    _require("It names another outcome.", holds=event.data["outcome"] == account.outcome)


def _check_logged(one: LoggedEvent, path: Sequence[bytes], checkpoint: Checkpoint) -> None:
    verify_inclusion(
        index=one.index,
        size=checkpoint.size,
        leaf=leaf_hash(encode(one.event)),
        path=path,
        root=checkpoint.root,
    )


def _check_events(
    account: Account, paths: object, *, seal: LoggedEvent, checkpoint: Checkpoint
) -> None:
    listed = as_list(paths, what="event_paths")
    _require(
        "event_paths needs exactly one path an event.", holds=len(listed) == len(account.events)
    )
    _require("An event follows the seal.", holds=account.events[-1].index < seal.index)
    for one, hashes in zip(account.events, listed, strict=True):
        texts = (as_text(item, what="a hash") for item in as_list(hashes, what="a path"))
        _check_logged(one, [read_base64(text) for text in texts], checkpoint)


def _require(otherwise: str, *, holds: bool) -> None:
    if not holds:
        raise RecordRejected(otherwise)


@contextmanager
def _step(number: int, what: str) -> Iterator[None]:
    """Name the step in the sentence of whatever check fails inside."""
    try:
        yield
    except ValueError as error:
        raise RecordRejected(f"Step {number}, {what}: {error}") from error
