"""Parsers of what vouches for an audit and what it goes by: witnesses, stamps, scores, values."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyroaring import BitMap

from audits.core import (
    answers,
    canonical,
    case_bundle,
    committed_scores,
    cosignature,
    events,
    note,
    packed,
    policy,
    rotation,
    time_stamp,
    webhook_events,
)
from audits.core.answers_schema import SECTIONS
from audits.core.policy_keys import KEYS, PolicyValueRefused, key_named
from lineage.core import membership_proof
from lineage.core.bitmaps import split
from lineage.core.membership import snapshot_digest
from tests.audits.core_trail import bundles, sealing
from tests.audits.time_stamping import Authority
from tests.fuzzing.parser import NoObject, Parser, an_object

WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _witness_key() -> str:
    public = WITNESS.public_key().public_bytes_raw()
    told = cosignature.key_id("witness.example", public).hex()
    return f"witness.example+{told}+{canonical.write_base64(cosignature.TYPE + public)}"


def _cosigned(checkpoint: str) -> str:
    at = 1_770_000_000
    public = WITNESS.public_key().public_bytes_raw()
    signature = WITNESS.sign(cosignature.cosigned(checkpoint, at))
    raw = cosignature.key_id("witness.example", public) + at.to_bytes(8, "big") + signature
    return f"\u2014 witness.example {canonical.write_base64(raw)}\n"


def _committed() -> bytes:
    row = {"known": None, "scores": packed.packed(np.arange(4.0))}
    return committed_scores.LookScores(run="r", look=2, rows={0: row}).written(bytes(32))


@cache
def stamped() -> tuple[bytes, str]:
    authority = Authority()
    request = time_stamp.stamp_request(b"checkpoint")
    return authority.answer(request.as_bytes()), authority.pem


CHUNKS = split(BitMap([3, 70_000, 200_001]))
DIGEST = snapshot_digest((one.number, one.sha256) for one in CHUNKS)


def _policy_value(text: str) -> object:
    """Read a text as every policy value; one that is not allowed is refused by itself."""
    refused = 0
    for key in KEYS.values():
        try:
            key.kind.write(key.read(text))
        except PolicyValueRefused:
            refused += 1
    if refused == len(KEYS):
        raise PolicyValueRefused(text)
    return key_named(next(iter(KEYS)))


def parsers() -> tuple[Parser, ...]:
    """Return them, with what they take."""
    checkpoint = bundles.files()[case_bundle.CHECKPOINT].decode()
    token, roots = stamped()
    return (
        Parser(
            name="witness keys",
            reads="audits/core/cosignature.py",
            call=lambda text: cosignature.parse_witness_keys([text]),
            refuses=(note.KeyMalformed,),
            seeds=(_witness_key(),),
        ),
        Parser(
            name="cosignatures",
            reads="audits/core/cosignature.py",
            call=lambda text: cosignature.verify_cosignatures(
                text, checkpoint, cosignature.parse_witness_keys([_witness_key()])
            ),
            refuses=(cosignature.CosignatureRefused,),
            seeds=(_cosigned(checkpoint),),
        ),
        Parser(
            name="time stamp",
            reads="audits/core/time_stamp.py",
            call=lambda data: time_stamp.verify_stamp(data, b"checkpoint", roots=roots),
            refuses=(time_stamp.StampRefused,),
            seeds=(token,),
        ),
        Parser(
            name="certificates",
            reads="audits/core/time_stamp.py",
            call=lambda text: time_stamp.verify_stamp(token, b"checkpoint", roots=text),
            refuses=(time_stamp.StampRefused,),
            seeds=(roots,),
        ),
        Parser(
            name="key rotation",
            reads="audits/core/rotation.py",
            call=lambda data: rotation.verify_rotation(data, old=sealing.VKEY),
            refuses=(rotation.RotationRejected,),
            seeds=(_rotated(),),
        ),
        Parser(
            name="committed scores",
            reads="audits/core/committed_scores.py",
            call=lambda data: committed_scores.read_scores(data)[0].commitment(bytes(32)),
            refuses=(committed_scores.ScoresUnreadable,),
            seeds=(_committed(),),
        ),
        Parser(
            name="packed array",
            reads="audits/core/packed.py",
            call=packed.unpacked,
            refuses=(KeyError, ValueError, TypeError),
            seeds=(packed.packed(np.ones((2, 3))),),
        ),
        Parser(
            name="answers to a person",
            reads="audits/core/answers.py",
            call=lambda one: answers.check_answers(an_object(one)),
            refuses=(answers.AnswersRefused, NoObject),
            seeds=({name: {"none": "NOT_ASKED"} for name in SECTIONS},),
        ),
        Parser(
            name="evidence policy",
            reads="audits/core/policy.py",
            call=lambda one: policy.EvidencePolicy.from_dict(an_object(one)),
            refuses=(policy.PolicyRefused, NoObject),
            seeds=(policy.EvidencePolicy().as_dict(),),
        ),
        Parser(
            name="policy values",
            reads="audits/core/policy_keys.py, policy_kinds.py",
            call=_policy_value,
            refuses=(PolicyValueRefused,),
            seeds=("30", "0.05", "yes", "2026-12-24, 2026-12-25", "ERASED: 30", "48, 96"),
        ),
        Parser(
            name="kinds of messages",
            reads="audits/core/webhook_events.py",
            call=webhook_events.checked,
            refuses=(webhook_events.KindsRefused, TypeError),
            seeds=(list(webhook_events.KINDS),),
        ),
        Parser(
            name="proof of membership",
            reads="lineage/core/membership_proof.py",
            call=lambda one: membership_proof.verify(an_object(one), DIGEST),
            refuses=(membership_proof.ProofRejected, NoObject),
            seeds=(membership_proof.prove(CHUNKS, 70_000), membership_proof.prove(CHUNKS, 7)),
        ),
    )


def _rotated() -> bytes:
    new = note.SigningKey(name="log.example", private=WITNESS)
    old = sealing.KEY
    told = rotation.Rotation(
        role="log",
        old=sealing.VKEY,
        new=new.verifier.text,
        at=events.instant(datetime(2026, 3, 4, tzinfo=UTC)),
    )
    return rotation.sign_rotation(told, by_old=old.sign, by_new=new.sign)
