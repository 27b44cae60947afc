"""Histories of a data set, drawn and taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.queries.membership import snapshots_holding
from lineage.services.snapshots import take_snapshot

if TYPE_CHECKING:
    from lineage.models import DatasetSnapshot

SIZE = 200_000
quick = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
some = st.one_of(
    st.sets(st.integers(0, SIZE - 1), max_size=20),
    st.sets(st.integers(65_500, 65_600), max_size=20),
    st.builds(
        lambda start, length, step: set(range(start, min(SIZE, start + length * step), step)),
        st.integers(0, 140_000),
        st.integers(0, 20_000),
        st.integers(1, 3),
    ),
)


def taken(dataset, now, history):
    """Take the snapshots of a history and return them with their plain sets."""
    made: list[tuple[DatasetSnapshot, set[int]]] = []
    for change, back, named in history:
        before = made[-1 - back % len(made)] if made else None
        held = (before[1] if before else set()) ^ change
        parent = before[0] if before and named else None
        made.append(
            (
                take_snapshot(dataset=dataset, ordinals=BitMap(held), parent=parent, now=now),
                held,
            )
        )
    return made


def check(dataset, made, asked):
    holding = snapshots_holding(dataset.space, BitMap(asked))
    for snapshot, held in made:
        assert set(holding.get(snapshot.id, ())) == held & asked
    assert all(holding.values())
