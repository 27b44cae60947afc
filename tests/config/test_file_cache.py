"""What counts calls is not thrown out while it counts."""

from __future__ import annotations

import pytest

from config.file_cache import FileCache


@pytest.fixture
def cache(tmp_path):
    return FileCache(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 8}})


def test_what_lived_its_time_goes_before_a_counter_that_counts(cache):
    cache.set("calls", 7, 60)
    for number in range(100):
        cache.set(f"minute-{number}", 1, -1)
    assert cache.incr("calls") == 8
    assert len(cache._list_cache_files()) <= 8


def test_what_still_counts_gives_way_only_to_itself(cache):
    for number in range(100):
        cache.set(f"key-{number}", 1, 60)
    assert 0 < len(cache._list_cache_files()) <= 8
