from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audits.core.canonical import write_json
from audits.core.envelope import EnvelopeRejected, seal, unseal
from audits.core.note import KeyMalformed
from audits.core.statement import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    Statement,
    StatementRejected,
    Subject,
    sign_statement,
    verify_statement,
)
from tests.audits.core_trail.sealing import KEY, OTHER_KEY, SUBJECT, VKEY

STATEMENT = Statement(subjects=(SUBJECT,), predicate={"verdict": "PASS", "bound": 0.05})
ENVELOPE = sign_statement(STATEMENT, KEY)
RIGHT = json.loads(STATEMENT.encode())


def envelope(**change: object):
    return write_json(json.loads(ENVELOPE) | change)


def test_a_statement_reads_back_from_its_envelope():
    assert verify_statement(ENVELOPE, VKEY) == STATEMENT
    assert RIGHT["_type"] == "https://in-toto.io/Statement/v1"
    assert RIGHT["predicateType"] == "https://expunge.dev/erasure-record/v1"


def test_the_signature_is_over_the_pre_authentication_encoding():
    outer = json.loads(ENVELOPE)
    payload = base64.b64decode(outer["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    signature = base64.b64decode(outer["signatures"][0]["sig"])
    Ed25519PublicKey.from_public_bytes(KEY.verifier.public).verify(signature, signed)
    assert outer["signatures"][0]["keyid"] == "+".join(VKEY.split("+", 2)[:2])


def test_a_statement_cannot_be_signed_twice_to_different_bytes():
    assert sign_statement(STATEMENT, KEY) == ENVELOPE


def signature(**change: object):
    return json.loads(ENVELOPE)["signatures"][0] | change


@pytest.mark.parametrize(
    "changed",
    [
        b"",
        b"[]",
        b"{}",
        ENVELOPE + b"\n",
        ENVELOPE.replace(b":", b": "),
        envelope(extra=1),
        envelope(payload=1),
        envelope(payload="e30"),
        envelope(payload="e30="),
        envelope(payload="*"),
        envelope(payloadType="application/json"),
        envelope(payloadType=None),
        envelope(signatures=[]),
        envelope(signatures={}),
        envelope(signatures=[signature(), signature()]),
        envelope(signatures=[signature(), signature(keyid="other+00000000")]),
        envelope(signatures=[signature(keyid="other+00000000")]),
        envelope(signatures=[signature(keyid=None)]),
        envelope(signatures=[signature(sig="")]),
        envelope(signatures=[signature(sig="AAAA")]),
        envelope(signatures=[signature(sig=signature()["sig"].replace("=", ""))]),
        envelope(signatures=[signature(cert="")]),
        sign_statement(STATEMENT, OTHER_KEY),
        seal(STATEMENT.encode(), payload_type="application/json", key=KEY),
    ],
)
def test_any_other_envelope_is_refused(changed):
    with pytest.raises(StatementRejected):
        verify_statement(changed, VKEY)
    with pytest.raises(EnvelopeRejected):
        unseal(changed, payload_type=PAYLOAD_TYPE, vkey=VKEY)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        json.dumps(RIGHT).encode(),
        write_json(RIGHT | {"_type": "https://in-toto.io/Statement/v0.1"}),
        write_json(RIGHT | {"predicateType": PREDICATE_TYPE + "/"}),
        write_json(RIGHT | {"predicate": []}),
        write_json(RIGHT | {"subject": []}),
        write_json(RIGHT | {"subject": {}}),
        write_json(RIGHT | {"subject": [{"name": "a"}]}),
        write_json(RIGHT | {"subject": [{"name": "a", "digest": {"md5": "ab"}}]}),
        write_json(RIGHT | {"subject": [{"name": "a", "digest": {"sha256": "AB" * 32}}]}),
        write_json(RIGHT | {"subject": [{"name": "Anna Weiss", "digest": {"sha256": "ab" * 32}}]}),
        write_json(RIGHT | {"note": "extra"}),
    ],
)
def test_a_signed_payload_that_is_not_the_statement_is_refused(payload):
    with pytest.raises(StatementRejected):
        verify_statement(seal(payload, payload_type=PAYLOAD_TYPE, key=KEY), VKEY)


def test_a_value_that_cannot_be_a_statement_is_not_signed():
    for predicate in ({"a": b""}, {"a": float("inf")}, {"a": 1e16}, {"a": 2**53}):
        with pytest.raises(StatementRejected):
            sign_statement(Statement(subjects=(SUBJECT,), predicate=predicate), KEY)
    with pytest.raises(StatementRejected, match="at least one subject"):
        sign_statement(Statement(subjects=(), predicate={}), KEY)
    with pytest.raises(StatementRejected):
        Subject(name="Anna Weiss", sha256="ab" * 32)


def test_a_malformed_key_is_the_callers_mistake():
    with pytest.raises(KeyMalformed):
        verify_statement(ENVELOPE, "not a key")
