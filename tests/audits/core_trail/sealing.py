"""A small case, its log and its sealed record, the same at every run."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.core.account import Account, LoggedEvent
from audits.core.events import draft, encode
from audits.core.ledger import inclusion_paths, leaf_hash, root
from audits.core.note import Checkpoint, SigningKey, sign_checkpoint
from audits.core.record import assemble, draft_seal, sign_account
from audits.core.statement import Subject

KEY = SigningKey(
    name="erasure.example.org/log", private=Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
)
OTHER_KEY = SigningKey(name=KEY.name, private=Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
VKEY = KEY.verifier.text
CASE = UUID("11111111-2222-4333-8444-555555555555")
RUN = UUID("99999999-2222-4333-8444-555555555555")
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SUBJECT = Subject(name="model:99999999-2222-4333-8444-555555555555", sha256="ab" * 32)


def event(kind, data=None, *, case=CASE, minute=0):
    return draft(kind, data or {}, at=START + timedelta(minutes=minute), actor="system", case=case)


def account(**change: object):
    events = (
        LoggedEvent(index=1, event=event("request_accepted", {"ground": "ART_17_1_B"})),
        LoggedEvent(
            index=2, event=event("run_started", {"run": RUN, "attempt": 1}, case=None, minute=1)
        ),
    )
    values: dict[str, Any] = {
        "case": str(CASE),
        "outcome": "ERASED",
        "subjects": (SUBJECT,),
        "findings": {"verdict": "PASS", "leak": 0.013},
        "events": events,
    }
    return Account(**values | change)


def log_of(entries, *, size):
    """Leaf hashes of a log with these events at their indices and strangers elsewhere."""
    hashes = [leaf_hash(b"stranger %d" % index) for index in range(size)]
    for one in entries:
        hashes[one.index] = leaf_hash(encode(one.event))
    return hashes


def checkpoint_of(hashes, *, key=KEY):
    return sign_checkpoint(Checkpoint(origin=key.name, size=len(hashes), root=root(hashes)), key)


def parts(told=None, *, size=6, key=KEY):
    """What ``assemble`` takes, for a seal at the last index but one."""
    told = told or account()
    envelope = sign_account(told, key)
    seal = LoggedEvent(index=size - 2, event=draft_seal(envelope, told, at=START, actor="system"))
    hashes = log_of((*told.events, seal), size=size)
    return {
        "envelope": envelope,
        "seal": seal,
        "paths": inclusion_paths([one.index for one in (*told.events, seal)], hashes),
        "checkpoint_note": checkpoint_of(hashes, key=key),
        "vkey": key.verifier.text,
    }


def stray(text):
    """The same bytes in base64 with an unused bit set, for texts that end in one "="."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = f"{text[:-2]}{letters[letters.index(text[-2]) | 1]}="
    assert base64.b64decode(changed) == base64.b64decode(text)
    assert changed != text
    return changed


def record():
    return assemble(**parts())
