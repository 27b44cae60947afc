"""What the client writes to disk: downloads, and requests that wait."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

import expunge
from tests.expunge.platforms import CASE, KEY, Platform, problem

if TYPE_CHECKING:
    from collections.abc import Iterator


# --- downloads ----------------------------------------------------------------------------------


def test_a_report_is_written_whole_with_progress_and_for_its_owner_alone(tmp_path):
    platform = Platform(httpx.Response(200, content=b"%PDF" * 1000))
    told = []
    path = platform.client().report(
        "ER-1", tmp_path / "r.pdf", edition="person", progress=lambda *at: told.append(at)
    )
    assert path.read_bytes() == b"%PDF" * 1000
    assert path.stat().st_mode & 0o777 == 0o600
    assert told[-1] == (4000, 4000)
    assert dict(platform.seen[0].url.params) == {
        "edition": "person",
        "format": "pdf",
        "language": "en",
    }


class Breaks(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"half"
        raise httpx.ReadError("gone")


def test_a_download_that_breaks_leaves_what_was_there(tmp_path):
    (tmp_path / "r.pdf").write_bytes(b"old")
    platform = Platform(httpx.Response(200, stream=Breaks()))
    with pytest.raises(expunge.PlatformAway):
        platform.client(attempts=1).report("ER-1", tmp_path / "r.pdf")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("r.pdf", b"old")]


def test_a_download_that_is_refused_says_why_and_makes_no_file(tmp_path):
    with pytest.raises(expunge.NotThere, match="No report"):
        Platform(problem(404, "No report.")).client().report("ER-1", tmp_path / "r.pdf")
    assert list(tmp_path.iterdir()) == []


# --- the buffer ---------------------------------------------------------------------------------


def test_a_request_survives_a_platform_that_is_away_and_keeps_its_moment_and_key(tmp_path):
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    away = Platform(httpx.ConnectError("no"))
    client = away.client(buffer=tmp_path / "b", attempts=2, clock=lambda: moment)
    with pytest.raises(expunge.Buffered, match="kept in"):
        client.request(email="ada@example.org", key="k1")
    with pytest.raises(expunge.Buffered):
        client.request(email="eve@example.org")

    back = Platform(httpx.Response(201, json=CASE))
    made = back.client(buffer=tmp_path / "b").flush()
    assert (made.sent, made.refused, made.waiting) == (2, [], [])
    sent = [json.loads(request.content) for request in back.seen]
    assert [one["email"] for one in sent] == ["ada@example.org", "eve@example.org"]
    assert sent[0]["received_at"] == moment.isoformat()
    assert back.seen[0].headers["Idempotency-Key"] == away.seen[0].headers["Idempotency-Key"]
    assert back.seen[0].content == away.seen[0].content
    assert back.client(buffer=tmp_path / "b").flush().sent == 0


def test_a_buffered_request_that_is_refused_is_set_aside_with_its_reason(tmp_path):
    away = Platform(httpx.ConnectError("no")).client(buffer=tmp_path, attempts=1)
    with pytest.raises(expunge.Buffered):
        away.request(email="nobody")
    made = Platform(problem(422, "It has no @.")).client(buffer=tmp_path).flush()
    assert made.refused == ["It has no @."]
    assert [one.read_text() for one in tmp_path.rglob("reason.txt")] == ["It has no @."]


def test_only_its_owner_may_read_the_buffer(tmp_path):
    away = Platform(httpx.ConnectError("no")).client(buffer=tmp_path / "b", attempts=1)
    with pytest.raises(expunge.Buffered):
        away.request(email="ada@example.org")
    folders = [path for path in (tmp_path / "b").rglob("*") if path.is_dir()]
    assert folders
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert KEY not in "".join(p.read_text() for p in (tmp_path / "b").rglob("*") if p.is_file())


def test_a_client_without_a_buffer_says_so():
    with pytest.raises(ValueError, match="has no buffer"):
        Platform(problem(503)).client().flush()
