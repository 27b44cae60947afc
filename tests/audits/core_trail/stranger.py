"""A verifier written from docs/evidence-format.md alone; it imports nothing of the product."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def canonical(value):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def b64(text):
    raw = base64.b64decode(text, validate=True)
    assert base64.b64encode(raw).decode() == text
    return raw


def sha(*parts: bytes):
    return hashlib.sha256(b"".join(parts)).digest()


def root_from(index, size, entry, path):
    node, last, hashes = sha(b"\0", entry), size - 1, list(path)
    assert 0 <= index < size
    while last:
        if index & 1:
            node = sha(b"\1", hashes.pop(0), node)
        elif index < last:
            node = sha(b"\1", node, hashes.pop(0))
        index, last = index >> 1, last >> 1
    assert hashes == []
    return node


class Key:
    def __init__(self, vkey: str) -> None:
        self.name, self.id, text = vkey.split("+", 2)
        raw = b64(text)
        assert raw[:1] == b"\1"
        assert sha(self.name.encode(), b"\n", raw)[:4].hex() == self.id
        self.public = Ed25519PublicKey.from_public_bytes(raw[1:])


def verify(data, vkey):
    """Return the predicate, or raise something."""
    key = Key(vkey)
    record = read_file(data)
    account = read_account(read_payload(record["envelope"], key))
    check_seal(record, account)
    head, size, root = read_checkpoint(record["proof"], key)
    header, index_line, *path = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    index = int(index_line.removeprefix("index "))
    # 6 the seal event in the log
    assert root_from(index, size, canonical(record["seal_event"]), map(b64, path)) == root
    # 7 the events in the log
    before = -1
    for logged, path in zip(account["events"], record["event_paths"], strict=True):
        assert before < logged["index"] < index
        assert logged["event"]["case"] in (account["case"], None)
        before = logged["index"]
        assert root_from(before, size, canonical(logged["event"]), map(b64, path)) == root
    return account


def read_file(data):
    record = json.loads(data)
    assert canonical(record) == data
    assert set(record) == {"format", "envelope", "seal_event", "proof", "event_paths"}
    assert record["format"] == "expunge-record/1"
    return record


def read_payload(envelope, key):
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    (signature,) = envelope["signatures"]
    assert set(signature) == {"keyid", "sig"}
    assert signature["keyid"] == f"{key.name}+{key.id}"
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    payload = b64(envelope["payload"])
    head = f"DSSEv1 28 application/vnd.in-toto+json {len(payload)} "
    key.public.verify(b64(signature["sig"]), head.encode() + payload)
    return payload


def read_account(payload):
    statement = json.loads(payload)
    assert canonical(statement) == payload
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://expunge.dev/erasure-record/v1"
    assert set(statement["predicate"]) == {"case", "outcome", "findings", "events"}
    return statement["predicate"]


def check_seal(record, account):
    seal = record["seal_event"]
    assert (seal["type"], seal["case"]) == ("case_sealed", account["case"])
    digest = sha(canonical(record["envelope"])).hex()
    assert seal["data"] == {"record": digest, "outcome": account["outcome"]}


def read_checkpoint(proof, key):
    head, text, line = proof.split("\n\n")
    dash, signer, encoded = line.removesuffix("\n").split(" ")
    assert (dash, signer) == ("\u2014", key.name)
    signature = b64(encoded)
    assert signature[:4].hex() == key.id
    key.public.verify(signature[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == key.name
    return head, int(size), b64(root)
