"""The store in a bucket of a real server that speaks S3: what a folder has no need to promise."""

from __future__ import annotations

import errno
import os
import time
import uuid
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from lineage import artifacts, stores
from lineage.services.sweeping import sweep_store
from tests.lineage.buckets import client

SPACE = uuid.UUID(int=7)


@pytest.fixture
def store(settings, bucket):
    settings.EXPUNGE_STORE = bucket
    return urlsplit(bucket).netloc


@pytest.fixture
def no_patience(monkeypatch):
    """Nobody answers at this address, and the library tries once."""
    from s3fs import S3FileSystem

    stores._opened.cache_clear()
    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    yield
    stores._opened.cache_clear()
    S3FileSystem.clear_instance_cache()


def keys(s3, name):
    found = client(s3).list_objects_v2(Bucket=name)
    return sorted(one["Key"] for one in found.get("Contents", []))


def test_the_bucket_holds_what_the_uri_says_and_nothing_beside_it(store, s3):
    file = artifacts.put(b"weights")
    assert artifacts.put(b"weights") == file
    assert keys(s3, store) == [f"store/{file.uri}"]
    artifacts.destroy(file.uri)
    assert keys(s3, store) == []


def test_a_damaged_copy_in_the_bucket_is_found_out_and_replaced(store, s3):
    file = artifacts.put(b"weights")
    client(s3).put_object(Bucket=store, Key=f"store/{file.uri}", Body=b"others!")
    with pytest.raises(artifacts.ArtefactAltered, match=file.sha256):
        artifacts.read(file.uri, file.sha256)
    artifacts.put(b"weights")
    assert artifacts.read(file.uri, file.sha256) == b"weights"


def test_what_another_machine_wrote_or_deleted_is_seen_at_once(store, s3):
    file = artifacts.put(b"weights")
    assert artifacts.exists(file.uri)
    ((uri, written),) = artifacts.listing("objects")
    assert uri == file.uri
    assert written == pytest.approx(time.time(), abs=60)
    client(s3).delete_object(Bucket=store, Key=f"store/{file.uri}")
    assert not artifacts.exists(file.uri)
    assert artifacts.listing("objects") == []
    other = f"objects/ab/{'0' * 62}"
    client(s3).put_object(Bucket=store, Key=f"store/{other}", Body=b"x")
    assert [uri for uri, _ in artifacts.listing("objects")] == [other]


def test_more_files_than_one_answer_lists_are_all_listed(store, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "4")
    staged = [artifacts.stage(bytes(number)).uri for number in range(9)]
    assert [uri for uri, _ in artifacts.listing("staging")] == sorted(staged)


def test_a_bucket_that_keeps_versions_is_no_store_for_erasure(store, s3):
    file = artifacts.put(b"weights")
    versioning(s3, store, "Enabled")
    with pytest.raises(artifacts.ArtefactRemains, match="keeps the versions"):
        artifacts.destroy(file.uri)


def versioning(s3, name, status):
    client(s3).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})


def test_a_version_from_before_versioning_was_suspended_is_found_after_a_deletion(
    store, s3, monkeypatch
):
    """What versioning kept stays when it is suspended, and it cannot be turned off any more."""
    versioning(s3, store, "Enabled")
    file = artifacts.put(b"somebody")
    versioning(s3, store, "Suspended")
    # At a deletion in such a bucket this server drops every version, which no real one does.
    monkeypatch.setattr(stores.Store, "remove", lambda *_: None)
    monkeypatch.setattr(stores.Store, "exists", lambda *_: False)
    with pytest.raises(artifacts.ArtefactRemains, match="has an earlier version of it"):
        artifacts.destroy(file.uri)
    (one,) = client(s3).list_object_versions(Bucket=store)["Versions"]
    client(s3).delete_object(Bucket=store, Key=one["Key"], VersionId=one["VersionId"])
    artifacts.destroy(file.uri)


def test_a_version_of_another_file_whose_name_begins_alike_is_not_taken_for_it(store, s3):
    versioning(s3, store, "Suspended")
    for ordinal in (1, 10):
        artifacts.write_record(SPACE, ordinal, b"content")
    artifacts.destroy(artifacts.record_uri(SPACE, 1))
    assert artifacts.exists(artifacts.record_uri(SPACE, 10))


def test_versions_that_may_not_be_listed_are_not_said_to_be_gone(store, s3, monkeypatch):
    versioning(s3, store, "Suspended")
    file = artifacts.put(b"weights")

    def refused(_store, _uri):
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(stores.Store, "kept_version", refused)
    with pytest.raises(artifacts.ArtefactRemains, match="s3:ListBucketVersions"):
        artifacts.destroy(file.uri)


CALLS = pytest.mark.parametrize(
    "call",
    [
        lambda _: artifacts.put(b"weights"),
        artifacts.exists,
        artifacts.destroy,
        artifacts.content_of,
        lambda _: artifacts.listing("objects"),
    ],
    ids=["put", "exists", "destroy", "read", "list"],
)


@CALLS
def test_a_bucket_that_does_not_exist_is_not_taken_for_an_empty_one(settings, s3, call):
    settings.EXPUNGE_STORE = "s3://no-such-bucket/store"
    with pytest.raises(artifacts.StoreNotReachable, match="There is no bucket 'no-such-bucket'"):
        call(f"objects/ab/{'0' * 62}")


def test_a_file_that_is_missing_from_a_bucket_that_is_there_is_just_missing(store):
    with pytest.raises(artifacts.ArtefactMissing):
        artifacts.content_of("objects/ab/none")
    assert not artifacts.exists("objects/ab/none")
    assert artifacts.listing("records") == []


@pytest.fixture
def gateway(no_patience, monkeypatch, settings):
    """A server that answers whatever it is asked with one status and one code of S3."""
    said: dict[str, Any] = {}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"<Error><Code>{said['code']}</Code></Error>".encode() if said["code"] else b""
            self.send_response(said["status"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_PUT = do_DELETE = do_GET  # noqa: N815  (the names are the library's)

        def log_message(self, *_told: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        settings.EXPUNGE_STORE = f"s3://behind-{uuid.uuid4().hex}/store"
        yield lambda status, code="": said.update(status=status, code=code)
        server.shutdown()


@CALLS
def test_a_gateway_whose_backend_is_away_is_a_store_that_is_away(gateway, call):
    for answer in ((503, "SlowDown"), (503, ""), (500, "InternalError"), (502, ""), (504, "")):
        gateway(*answer)
        with pytest.raises(artifacts.StoreNotReachable, match="did not answer"):
            call(f"objects/ab/{'0' * 62}")


def test_a_refusal_of_the_bucket_is_none(gateway):
    gateway(403, "AccessDenied")
    with pytest.raises(artifacts.StoreNotWritable, match="did not take") as refused:
        artifacts.put(b"weights")
    assert not isinstance(refused.value, artifacts.StoreNotReachable)


def test_a_folder_on_a_disk_that_breaks_is_not_said_to_be_away(monkeypatch):
    def broken(_path, _data):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(stores, "write_whole", broken)
    with pytest.raises(artifacts.StoreNotWritable, match="Input/output error") as said:
        artifacts.put(b"weights")
    assert not isinstance(said.value, artifacts.StoreNotReachable)


@CALLS
def test_a_store_that_does_not_answer_is_said_to_be_away_and_never_to_be_empty(
    settings, no_patience, call
):
    settings.EXPUNGE_STORE = f"s3://nowhere-{uuid.uuid4().hex}/store"
    with pytest.raises(artifacts.StoreNotReachable, match="did not answer"):
        call(f"objects/ab/{'0' * 62}")


def test_a_child_process_talks_to_the_bucket_that_its_parent_has_opened(store):
    file = artifacts.put(b"weights")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if artifacts.content_of(file.uri) == b"weights" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.django_db
def test_the_sweep_takes_from_the_bucket_what_no_row_speaks_of(store, s3):
    artifacts.put(b"weights")
    artifacts.stage(b"content")
    artifacts.write_record(SPACE, 1, b"content")
    swept = sweep_store(now=timezone.now() + timedelta(minutes=1), grace=timedelta(0))
    assert (swept.objects, swept.staging, swept.records) == (1, 1, 1)
    assert keys(s3, store) == []
