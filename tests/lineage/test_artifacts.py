from __future__ import annotations

import errno
import hashlib
import os
import uuid
from pathlib import Path

import pytest

from lineage import artifacts
from lineage.stores import Store

SPACE = uuid.UUID(int=7)


@pytest.fixture(params=["file", "memory", "s3"])
def store(request, settings, home):
    if request.param == "memory":
        settings.EXPUNGE_STORE = f"memory://{home.name}"
    if request.param == "s3":
        settings.EXPUNGE_STORE = request.getfixturevalue("bucket")
    return request.param


def test_what_is_put_can_be_read(store):
    file = artifacts.put(b"weights")
    assert file.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert file.size == 7
    assert artifacts.read(file.uri, file.sha256) == b"weights"
    assert artifacts.put(b"weights") == file
    assert artifacts.exists(file.uri)


def test_no_process_goes_on_with_a_store_that_another_one_opened(store, monkeypatch):
    """What talks to a server refuses to work after a fork."""
    opened: list[str] = []

    def open_store(location):
        opened.append(location)
        return None, location

    monkeypatch.setattr("fsspec.core.url_to_fs", open_store)
    for process in (-1, -1, -2):
        monkeypatch.setattr("os.getpid", lambda process=process: process)
        Store()
    assert len(opened) == 2


def test_a_destroyed_file_is_missing(store):
    file = artifacts.put(b"weights")
    artifacts.destroy(file.uri)
    artifacts.destroy(file.uri)
    assert not artifacts.exists(file.uri)
    with pytest.raises(artifacts.ArtefactMissing, match=f"{file.uri} is missing"):
        artifacts.read(file.uri, file.sha256)


def test_an_altered_file_is_named_with_both_digests(store):
    file = artifacts.put(b"weights")
    other = artifacts.write_record(SPACE, 1, b"other")
    with pytest.raises(artifacts.ArtefactAltered, match=f"{file.sha256}") as refusal:
        artifacts.read(other.uri, file.sha256)
    assert other.sha256 in str(refusal.value)


def test_records_lie_by_space_and_ordinal_even_if_equal(store):
    one = artifacts.write_record(SPACE, 12_345, b"same")
    two = artifacts.write_record(SPACE, 12_346, b"same")
    assert one.uri == f"records/{SPACE}/12/12345"
    artifacts.destroy(one.uri)
    assert artifacts.read(two.uri, two.sha256) == b"same"


def test_staged_contents_move_to_their_ordinals(store):
    staged = [artifacts.stage(b"a"), artifacts.stage(b"b")]
    placed = artifacts.place(staged, space_id=SPACE, first=999)
    assert [file.uri for file in placed] == [f"records/{SPACE}/0/999", f"records/{SPACE}/1/1000"]
    assert [artifacts.read(file.uri, file.sha256) for file in placed] == [b"a", b"b"]
    assert not any(artifacts.exists(file.uri) for file in staged)
    assert artifacts.listing("staging") == []
    assert [uri for uri, _ in artifacts.listing("records")] == [file.uri for file in placed]


@pytest.mark.parametrize(
    "uri", ["", "/etc/passwd", "records/../../x", "elsewhere/x", "..", "objects/../.."]
)
def test_it_stays_inside_the_store(uri):
    with pytest.raises(ValueError, match="allowed are relative paths"):
        artifacts.exists(uri)


def _files(home):
    return [path for path in (home / "store").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, artifacts.StoreFull),
        (errno.EDQUOT, artifacts.StoreFull),
        (errno.EIO, artifacts.StoreNotWritable),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_failed_write_leaves_no_half_file(monkeypatch, home, code, expected, call):
    def fail(*args: object):
        raise OSError(code, os.strerror(code))

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(expected, match="objects/"):
        artifacts.put(b"x" * 10_000)
    assert _files(home) == []


def test_a_real_limit_on_file_size_leaves_no_half_file(home):
    pid = os.fork()
    if pid == 0:  # the child: a limit set here cannot be lifted again
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))
        try:
            artifacts.put(b"x" * 100_000)
        except artifacts.StoreFull:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert _files(home) == []


def test_a_store_that_does_not_delete_is_found_out(monkeypatch):
    file = artifacts.put(b"weights")
    monkeypatch.setattr(Store, "remove", lambda *_: None)
    with pytest.raises(artifacts.ArtefactRemains, match=file.uri):
        artifacts.destroy(file.uri)


def test_a_store_that_refuses_to_delete_says_why(monkeypatch):
    file = artifacts.put(b"weights")

    def refuse(self, uri):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Store, "remove", refuse)
    with pytest.raises(artifacts.ArtefactRemains, match="Permission denied"):
        artifacts.destroy(file.uri)
