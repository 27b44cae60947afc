"""The store in a bucket of a real server that speaks S3: what a folder has no need to promise."""

from __future__ import annotations

import os
import time
import uuid
from datetime import timedelta
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
    client(s3).put_bucket_versioning(Bucket=store, VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(artifacts.ArtefactRemains, match="keeps the versions"):
        artifacts.destroy(file.uri)


@pytest.mark.parametrize(
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
