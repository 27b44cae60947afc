"""A proof tells what the set holds, and one that lies is rejected."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core import membership_proof as proofs
from lineage.core.bitmaps import encode, split
from lineage.core.membership import snapshot_digest
from lineage.queries.membership import membership_proof
from lineage.services.snapshots import take_snapshot
from tests.lineage.membership.histories import SIZE, quick, some

pytestmark = pytest.mark.django_db


@quick
@given(held=some, asked=st.integers(0, SIZE + 70_000))
def test_a_proof_tells_what_the_set_holds(wide, now, held, asked):
    snapshot = take_snapshot(dataset=wide, ordinals=BitMap(held), now=now)
    for ordinal in {asked, *list(held)[:2]}:
        proof = json.loads(json.dumps(membership_proof(snapshot, ordinal)))
        assert proofs.verify(proof, snapshot.digest) is (ordinal in held)


CHUNKS = split(BitMap([1, 3, 140_000, 300_000]))
DIGEST = snapshot_digest((chunk.number, chunk.sha256) for chunk in CHUNKS)


def without_chunk(proof):
    """Claim that there is no such chunk, by showing its neighbours as if they were adjacent."""
    return {**proof, "chunks": proofs.prove(CHUNKS, 70_000)["chunks"]}


LIES = {
    "other bytes": lambda p: changed(p, payload=base64.b64encode(encode(BitMap([2]))).decode()),
    "another chunk's bytes": lambda p: changed(p, payload=payload_of(140_000)),
    "another index": lambda p: changed(p, index=1),
    "another number": lambda p: changed(p, number=1),
    "a shorter path": lambda p: changed(p, path=p["chunks"][0]["path"][1:]),
    "a longer path": lambda p: changed(p, path=[*p["chunks"][0]["path"], "00" * 32]),
    "fewer leaves": lambda p: {**p, "leaves": 2},
    "no chunk": lambda p: {**p, "chunks": []},
    "no leaves at all": lambda p: {**p, "chunks": [], "leaves": 0},
    "a gap elsewhere": without_chunk,
    "one neighbour only": lambda p: {**p, "chunks": proofs.prove(CHUNKS, 70_000)["chunks"][:1]},
    "nothing": lambda _: {},
}


def changed(proof, **change: object):
    return {**proof, "chunks": [{**proof["chunks"][0], **change}]}


def payload_of(ordinal):
    return proofs.prove(CHUNKS, ordinal)["chunks"][0]["payload"]


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_proof_that_lies_is_rejected(lie):
    proof = proofs.prove(CHUNKS, 1)
    assert proofs.verify(proof, DIGEST) is True
    with pytest.raises(proofs.ProofRejected):
        proofs.verify(lie(proof), DIGEST)


def test_a_missing_chunk_cannot_be_claimed_between_others():
    proof = proofs.prove(CHUNKS, 70_000)
    assert proofs.verify(proof, DIGEST) is False
    for ordinal in (140_000, 300_000, 400_000):  # of chunks that are there, or beyond the gap
        with pytest.raises(proofs.ProofRejected):
            proofs.verify({**proof, "ordinal": ordinal}, DIGEST)
