"""The verifiers, and the proofs made from kept subtrees, against public vectors."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from audits.core.ledger import NotProven, leaf_hash, root, verify_consistency, verify_inclusion
from tests.audits.core_trail.kept_trees import KeptTree

VECTORS = json.loads((Path(__file__).parent / "vectors" / "merkle.json").read_text())
# The leaves over which these vectors were made, as in the tests of Certificate Transparency.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "60" + "".join(
    f"{0x60 + at:02x}" for at in range(1, 16)
)]  # fmt: skip
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in ENTRIES]


INSERTED = b64decode("q6yroAAAAAAAAAAAAAAAAAAAAAAAAAAAAGAGHgASNFY=")


def decoded(text: str | None) -> bytes:
    return b64decode(text) if text else b""


def inclusion(vector: dict[str, Any]) -> dict[str, Any]:
    return {
        "index": vector["leafIdx"],
        "size": vector["treeSize"],
        "leaf": decoded(vector["leafHash"]),
        "path": [*map(decoded, vector["proof"] or [])],
        "root": decoded(vector["root"]),
    }


def consistency(vector: dict[str, Any]) -> dict[str, Any]:
    return {
        "old_size": vector["size1"],
        "new_size": vector["size2"],
        "old_root": decoded(vector["root1"]),
        "new_root": decoded(vector["root2"]),
        "path": [*map(decoded, vector["proof"] or [])],
    }


CASES: list[tuple[Any, dict[str, Any], Any]] = [
    (verify_inclusion, inclusion(one), one) for one in VECTORS["inclusion"]
]
CASES += [(verify_consistency, consistency(one), one) for one in VECTORS["consistency"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__} {case[2]['desc']}")
def test_a_vector_has_the_result_it_names(case):
    verify, given, vector = case
    if vector["wantErr"]:
        with pytest.raises(NotProven):
            verify(**given)
    else:
        verify(**given)


def wrong_paths(path, others):
    for at in range(len(path)):
        flipped = bytes([path[at][0] ^ 16]) + path[at][1:]
        yield [*path[:at], flipped, *path[at + 1 :]]
        yield [*path[:at], path[at][:31], *path[at + 1 :]]
        yield [*path[:at], *path[at + 1 :]]
        yield [*path[:at], INSERTED, *path[at:]]
    for one in (b"", b"trailing garbage", *others):
        yield [one, *path]
        yield [*path, one]


def wrong_roots(name, size):
    for bad in (b"", b"\1" * 32, b"WrongRoot"):
        yield {name: bad}
    yield {name: root(LEAVES[: size - 1])}


def wrong_inclusions(given):
    index, size = given["index"], given["size"]
    yield from ({"index": at} for at in (index - 1, index + 1, index ^ 2))
    yield from ({"size": at} for at in (size * 2, size // 2))
    yield {"leaf": b"\2" * 32}
    yield from wrong_roots("root", size)
    yield from ({"path": path} for path in wrong_paths(given["path"], [given["root"]]))


def wrong_consistencies(given):
    older, size = given["old_size"], given["new_size"]
    yield from ({"old_size": at} for at in (older - 1, older + 1, older ^ 2))
    yield from ({"new_size": at} for at in (size * 2, size // 2))
    yield from wrong_roots("new_root", size)
    yield from wrong_roots("old_root", older)
    if older != size:
        yield {"old_root": given["new_root"], "new_root": given["old_root"]}
    roots = [given["old_root"], given["new_root"]]
    yield from ({"path": path} for path in wrong_paths(given["path"], roots))


WRONG = {verify_inclusion: wrong_inclusions, verify_consistency: wrong_consistencies}


@pytest.mark.parametrize("at", range(len(CASES)))
def test_no_change_to_a_vector_is_accepted(at):
    verify, given, vector = CASES[at]
    if vector["wantErr"]:
        return
    changes = list(WRONG[verify](given))
    assert len(changes) >= 12
    for change in changes:
        with pytest.raises(NotProven):
            verify(**given | change)


def test_kept_subtrees_give_the_paths_of_the_vectors():
    tree = KeptTree(LEAVES)
    for verify, given, vector in CASES:
        if vector["wantErr"]:
            continue
        if verify is verify_inclusion:
            assert tree.inclusion(given["index"], given["size"]) == given["path"]
            assert tree.root(given["size"]) == given["root"]
        else:
            assert tree.consistency(given["old_size"], given["new_size"]) == given["path"]


@pytest.mark.parametrize("vector", VECTORS["stricter"], ids=lambda one: one["desc"])
def test_two_vectors_are_refused_that_others_accept(vector):
    """Roots of twelve bytes are none here, and a proof that starts at nothing shows nothing."""
    assert not vector["wantErr"]
    with pytest.raises(NotProven, match="32 bytes"):
        verify_consistency(**consistency(vector))
    whole = {"old_root": INSERTED, "new_root": INSERTED}
    if vector["size1"]:
        verify_consistency(**consistency(vector) | whole)
    else:
        with pytest.raises(NotProven, match="Size 0 is not from 1 to 0"):
            verify_consistency(**consistency(vector) | whole)
