"""Who is gone after a rebuild: the forgotten, and whoever is barred in the same shards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from unlearning.core.sharding.touching import left_out, touched

records = st.frozensets(st.integers(0, 19), max_size=6)
SHARDS = [BitMap(range(start, start + 5)) for start in range(0, 20, 5)]


@given(records, records)
def test_a_record_is_gone_by_its_own_shard(forgotten, barred):
    gone = left_out(SHARDS, forgotten=BitMap(forgotten), barred=BitMap(barred))
    rebuilt = {record // 5 for record in forgotten}
    assert set(gone) == forgotten | {record for record in barred if record // 5 in rebuilt}
    assert touched(SHARDS, BitMap(forgotten)) == sorted(rebuilt)


@given(records, records)
def test_of_what_is_not_cut_into_shards_all_are_gone(forgotten, barred):
    gone = left_out([], forgotten=BitMap(forgotten), barred=BitMap(barred))
    assert set(gone) == forgotten | barred


def test_what_is_in_no_shard_is_gone_where_it_is_barred():
    gone = left_out(SHARDS, forgotten=BitMap([0]), barred=BitMap([7, 99]))
    assert set(gone) == {0, 99}
