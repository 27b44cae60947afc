from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audits.core.subjects import join_overlapping

sets = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.sets(st.integers(0, 12)))


def naive(found):
    """Join any two groups that share an element, again and again."""
    groups = [[name] for name in found]
    while True:
        held = [set().union(*(found[name] for name in names)) for names in groups]
        pairs = [
            (i, j)
            for i in range(len(groups))
            for j in range(i + 1, len(groups))
            if held[i] & held[j]
        ]
        if not pairs:
            return {frozenset(names) for names in groups}
        i, j = pairs[0]
        groups[i] += groups.pop(j)


@given(sets)
def test_it_joins_what_overlaps_directly_or_through_others(found):
    groups = join_overlapping(found)
    assert {frozenset(names) for names in groups} == naive(found)
    order = list(found)
    assert [names[0] for names in groups] == sorted((g[0] for g in groups), key=order.index)
    assert all(names == sorted(names, key=order.index) for names in groups)
