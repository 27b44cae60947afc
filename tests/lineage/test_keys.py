from __future__ import annotations

import pytest

from lineage import keys


@pytest.fixture
def file(home):
    return home / "keys" / "keystore.sqlite3"


def test_a_key_is_32_random_bytes_and_stays_the_same():
    made = keys.create("subject:a")
    assert len(made) == 32
    assert keys.get("subject:a") == made == keys.get_or_create("subject:a")
    assert keys.create("subject:b") != made


def test_a_missing_key_is_named():
    with pytest.raises(keys.KeyMissing, match="'case:x'"):
        keys.get("case:x")


def test_a_key_is_not_made_twice():
    keys.create("lookup")
    with pytest.raises(keys.KeyExists, match="'lookup'"):
        keys.create("lookup")


def test_a_destroyed_key_never_comes_back():
    keys.create("subject:a")
    keys.destroy("subject:a")
    keys.destroy("subject:a")
    for attempt in (keys.get, keys.create, keys.get_or_create):
        with pytest.raises(keys.KeyDestroyed, match="'subject:a'"):
            attempt("subject:a")
    assert keys.get_many(["subject:a"]) == {}


def test_a_name_without_a_key_can_be_barred():
    keys.destroy("subject:never")
    with pytest.raises(keys.KeyDestroyed):
        keys.create("subject:never")


def test_a_destroyed_key_is_not_in_the_file(file):
    others = keys.get_or_create_many(f"subject:{n}" for n in range(200))
    secret = keys.create("subject:x")
    assert secret in file.read_bytes()
    keys.destroy("subject:x")
    kept = file.read_bytes()
    assert not any(secret[at : at + 8] in kept for at in range(25))  # not even a part of it
    assert others["subject:7"] in file.read_bytes()
    assert list(file.parent.iterdir()) == [file]  # neither journal nor log beside it


def test_only_the_owner_may_read_the_store(file):
    keys.create("lookup")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_many_keys_are_made_at_once_or_not_at_all():
    known = keys.create("a")
    made = keys.get_or_create_many(["a", "b", "b", "c"])
    assert set(made) == {"a", "b", "c"}
    assert made["a"] == known
    keys.destroy("c")
    with pytest.raises(keys.KeyDestroyed):
        keys.get_or_create_many(["d", "c"])
    with pytest.raises(keys.KeyMissing):
        keys.get("d")
    assert set(keys.get_many(["a", "b", "c", "d"])) == {"a", "b"}
