"""Both stores keep bytes under keys in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unlearning.core.replay.store import BadKey, DirectoryStore, MemoryStore, NotStored, Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["memory", "directory"])
def store(request, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "kept")


def test_what_was_put_is_got_and_listed_until_it_is_deleted(store):
    assert store.list() == []
    store.put("b/two", b"2")
    store.put("a", b"1")
    store.put("b/two", b"two")
    assert store.get("b/two") == b"two"
    assert store.list() == ["a", "b/two"]
    assert store.list("b/") == store.list("b") == store.list("b/two") == ["b/two"]
    assert store.list("b/three") == store.list("c/") == []
    store.delete("b/two")
    store.delete("b/two")
    assert store.list() == ["a"]
    with pytest.raises(NotStored, match=r"^Nothing is stored under the key 'b/two'\.$"):
        store.get("b/two")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a b", "a\n"])
def test_a_key_that_could_leave_its_place_is_refused(store, key):
    with pytest.raises(BadKey, match="is not allowed: it must be names of letters"):
        store.put(key, b"")


def test_what_is_kept_does_not_change_with_what_was_given(store):
    content = bytearray(b"abc")
    store.put("a", content)
    content[0] = 0
    assert store.get("a") == b"abc"


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch):
    store = DirectoryStore(tmp_path)
    store.put("a", b"before")

    def fail(_handle: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        store.put("a", b"after")
    assert store.get("a") == b"before"
    assert store.list() == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
