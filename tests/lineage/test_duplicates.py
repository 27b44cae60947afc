from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from lineage.core.duplicates import Duplicate, Kind, ShapesDiffer, content_digest, find_duplicates


def unit(rows):
    rows = rows.reshape(len(rows), -1).astype(float)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


@given(st.integers(0, 1000), st.sampled_from([1, 3, 64]))
@settings(max_examples=25, deadline=None)
def test_it_equals_all_pairs_of_the_slow_way(seed, block):
    rng = np.random.default_rng(seed)
    forget = rng.integers(0, 3, (4, 2, 2))
    contents = rng.integers(0, 3, (17, 2, 2))
    found = find_duplicates(forget, contents, threshold=0.5, block=block)
    distances = cdist(unit(forget), unit(contents))
    for i in range(4):
        for j in range(17):
            if abs(distances[i, j] - 0.5) < 1e-9:
                continue
            same = bool((forget[i] == contents[j]).all())
            kinds = [pair.kind for pair in found if (pair.forget, pair.other) == (i, j)]
            expected = [Kind.EXACT] if same else [Kind.NEAR] if distances[i, j] < 0.5 else []
            assert kinds == expected


def test_it_tells_exact_from_near_and_reports_the_distance():
    rng = np.random.default_rng(1)
    contents = rng.normal(size=(500, 8, 8)).astype(np.float32)
    forget = contents[[40, 41]].copy()
    forget[1] += 0.01 * rng.normal(size=(8, 8)).astype(np.float32)
    found = find_duplicates(forget, contents, threshold=0.05)
    assert found[0] == Duplicate(forget=0, other=40, kind=Kind.EXACT, distance=0.0)
    assert (found[1].forget, found[1].other, found[1].kind) == (1, 41, Kind.NEAR)
    expected = cdist(unit(forget[1:]), unit(contents[41:42]))[0, 0]
    assert found[1].distance == pytest.approx(expected)
    assert len(found) == 2


def test_a_brighter_copy_is_near_at_any_threshold():
    picture = np.random.default_rng(2).random((1, 8, 8))
    found = find_duplicates(picture, 1.7 * picture, threshold=1e-6)
    assert [pair.kind for pair in found] == [Kind.NEAR]


def test_an_empty_record_resembles_only_another():
    empty, full = np.zeros((1, 4)), np.ones((1, 4))
    assert not find_duplicates(empty, full, threshold=0.9)
    assert find_duplicates(empty, empty, threshold=0.0)[0].kind is Kind.EXACT


def test_the_digest_depends_on_type_shape_and_content():
    row = np.arange(4, dtype=np.uint8)
    variants: list[np.ndarray] = [row, row.astype(np.uint16), row.reshape(2, 2), row + np.uint8(1)]
    assert len({content_digest(variant) for variant in variants}) == 4
    assert content_digest(np.arange(8, dtype=np.uint8)[::2]) == content_digest(
        np.array([0, 2, 4, 6], dtype=np.uint8)
    )


def test_it_refuses_records_of_different_shapes():
    with pytest.raises(ShapesDiffer, match=r"\(4,\), those of the contents \(2, 2\)"):
        find_duplicates(np.zeros((1, 4)), np.zeros((1, 2, 2)), threshold=0.1)
