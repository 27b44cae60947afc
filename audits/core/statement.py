"""The signed statement: in-toto Statement v1 about model versions, in a DSSE envelope.

The statement says what was done and measured; its subjects are the digests of what it is about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.canonical import (
    NotCanonical,
    ShapeUnexpected,
    as_list,
    as_object,
    as_text,
    read_json,
    write_json,
)
from audits.core.envelope import EnvelopeRejected, seal, unseal
from audits.core.fields import SHA256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.note import Signer

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://expunge.dev/erasure-record/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:@/+-]{0,199}")


class StatementRejected(ValueError):
    """The bytes are not a signed statement of this predicate type, or a value cannot be one."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a statement is about, as ``model:<id>``, with the SHA-256 of its content."""

    name: str
    sha256: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise StatementRejected("A subject's name has letters, digits and ._:@/+- only.")
        if not SHA256.accepts(self.sha256):
            raise StatementRejected(f"A subject's digest must be {SHA256.rule}.")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """At least one subject, and the predicate: any JSON object."""

    subjects: tuple[Subject, ...]
    predicate: Mapping[str, object]

    def encode(self) -> bytes:
        """The payload that is signed. Raises StatementRejected for what cannot be one."""
        if not self.subjects:
            raise StatementRejected("A statement must have at least one subject.")
        about = [{"name": one.name, "digest": {"sha256": one.sha256}} for one in self.subjects]
        value = {
            "_type": STATEMENT_TYPE,
            "subject": about,
            "predicateType": PREDICATE_TYPE,
            "predicate": dict(self.predicate),
        }
        try:
            payload = write_json(value)
            read_json(payload)  # a number too large to be read back must not be signed
        except NotCanonical as error:
            raise StatementRejected(str(error)) from error
        return payload


def sign_statement(statement: Statement, key: Signer) -> bytes:
    """The envelope, as canonical JSON."""
    return seal(statement.encode(), payload_type=PAYLOAD_TYPE, key=key)


def verify_statement(envelope: bytes, vkey: str) -> Statement:
    """The statement of an envelope, once its signature is checked.

    Raises:
        StatementRejected: not signed so, or not a statement of this predicate type.
        KeyMalformed: vkey is not verifier keys, one a line.
    """
    try:
        return _read(unseal(envelope, payload_type=PAYLOAD_TYPE, vkey=vkey))
    except (EnvelopeRejected, NotCanonical, ShapeUnexpected) as error:
        raise StatementRejected(str(error)) from error


def _read(payload: bytes) -> Statement:
    names = {"_type", "subject", "predicateType", "predicate"}
    value = as_object(read_json(payload), keys=names, what="A statement")
    if (value["_type"], value["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise StatementRejected(f"The statement is not an in-toto v1 {PREDICATE_TYPE}.")
    subjects = tuple(map(_read_subject, as_list(value["subject"], what="subject")))
    predicate = value["predicate"]
    if not subjects or not isinstance(predicate, dict):
        raise StatementRejected("A statement must have a subject, and an object as predicate.")
    return Statement(subjects=subjects, predicate=predicate)


def _read_subject(value: object) -> Subject:
    subject = as_object(value, keys={"name", "digest"}, what="A subject")
    digest = as_object(subject["digest"], keys={"sha256"}, what="A subject's digest")
    return Subject(
        name=as_text(subject["name"], what="name"), sha256=as_text(digest["sha256"], what="sha256")
    )
