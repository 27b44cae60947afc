"""Each kind of place with two things of Ada's and one of Bert's in it."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import sqlite3
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from sqlalchemy import create_engine, text

from lineage.core.places import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADA = Person(email="ada@example.org", further=("Customer-7",))
BERT = Person(email="bert@example.org")
OWNERS = ("ADA@example.org ", "bert@example.org", "customer-7")
SECRET = "a secret of this test"


@dataclass(kw_only=True)
class Built:
    """Settings of a place, and what makes it impossible to reach."""

    kind: str
    settings: dict[str, Any]
    break_it: Callable[[], object]
    wrong: dict[str, Any] = field(default_factory=dict)


def django_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    for place, owner in enumerate(OWNERS):
        User.objects.create(username=f"user{place}", email=owner.strip())

    def away(*_: object) -> None:
        raise OSError("ada@example.org")

    return Built(
        kind="django_model",
        settings={"model": "auth.User", "field": "email"},
        break_it=lambda: monkeypatch.setattr("django.db.models.query.QuerySet.count", away),
        wrong={"model": "auth.Nobody"},
    )


def sql_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    url = f"sqlite:///{tmp_path / 'crm.sqlite3'}"
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE people (email TEXT NOT NULL, name TEXT, plan TEXT)"))
        for owner in OWNERS:
            row = {"email": owner, "name": "N.", "plan": "gold"}
            connection.execute(text("INSERT INTO people VALUES (:email, :name, :plan)"), row)
    monkeypatch.setenv("EXPUNGE_PLACE_CRM", url)
    return Built(
        kind="sql_table",
        settings={"url_from": "EXPUNGE_PLACE_CRM", "table": "people", "column": "email"},
        break_it=lambda: monkeypatch.delenv("EXPUNGE_PLACE_CRM"),
        wrong={"url_from": "DATABASE_URL"},
    )


def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    folder = tmp_path / "exports"
    for owner in OWNERS:
        (folder / owner.strip().lower()).mkdir(parents=True)
        (folder / owner.strip().lower() / "export.zip").write_bytes(b"x")
    return Built(
        kind="files",
        settings={"pattern": f"file://{folder}/{{identifier}}"},
        break_it=lambda: folder.rename(tmp_path / "moved"),
        wrong={"pattern": "s3://bucket/everything/*"},
    )


def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    owners, values = pa.array([*OWNERS[:2], None]), pa.array([1.5, 2.5, 3.5])
    table = pa.table({"email": owners, "value": values}, metadata={"made": "by us"})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", row_group_size=2)
    pq.write_table(table.slice(1), tmp_path / "b.parquet")
    pq.write_table(pa.table({"email": [OWNERS[2]], "value": [0.0]}), tmp_path / "c.parquet")
    return Built(
        kind="tables",
        settings={"pattern": f"file://{tmp_path}/*.parquet", "column": "email"},
        break_it=lambda: list(map(Path.unlink, tmp_path.glob("*.parquet"))),
        wrong={"pattern": "file:///somewhere/*.xlsx"},
    )


def csv_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    write_csv(
        tmp_path / "a.csv", ["id", "email"], [[f"00{at}", one] for at, one in enumerate(OWNERS)]
    )
    return Built(
        kind="tables",
        settings={"pattern": f"file://{tmp_path}/a.csv", "column": "email"},
        break_it=(tmp_path / "a.csv").unlink,
        wrong={"pattern": "https://user:password@host/a.csv"},
    )


def image_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for at in range(len(OWNERS)):
        (folder / f"{at}.png").write_bytes(b"png")
    rows = [[f"{at}.png", owner] for at, owner in enumerate(OWNERS)]
    write_csv(folder / "manifest.csv", ["path", "identifier"], rows)
    return Built(
        kind="image_folder",
        settings={"manifest": f"file://{folder}/manifest.csv", "folder": f"file://{folder}"},
        break_it=(folder / "manifest.csv").unlink,
        wrong={"folder": f"file://{folder}/"},
    )


def vector_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    sqlite_vec = pytest.importorskip("sqlite_vec", reason="needs the extra vectors")
    path = tmp_path / "index.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE VIRTUAL TABLE faces USING vec0(face float[4], person text)")
        for place, owner in enumerate(OWNERS):
            connection.execute(
                "INSERT INTO faces (face, person) VALUES (?, ?)", (vector(place), owner)
            )
    connection.close()
    return Built(
        kind="vector_index",
        settings={"path": str(path), "table": "faces", "column": "person"},
        break_it=path.unlink,
        wrong={"path": "index.sqlite3"},
    )


def webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    monkeypatch.setenv("EXPUNGE_PLACE_SHOP", SECRET)
    return Built(
        kind="webhook",
        settings={"url": "", "secret_from": "EXPUNGE_PLACE_SHOP", "retries": 0, "timeout": 5},
        break_it=lambda: monkeypatch.setenv("EXPUNGE_PLACE_SHOP", "another secret"),
        wrong={"url": "http://example.org/erase"},
    )


BUILDERS = {
    one.__name__: one
    for one in (
        django_model,
        sql_table,
        files,
        tables,
        csv_tables,
        image_folder,
        vector_index,
        webhook,
    )
}


def vector(place: int) -> bytes:
    """A vector whose bytes can be looked for in a file."""
    return struct.pack("4f", *(place + 0.125 * at for at in range(1, 5)))


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


class Shop(ThreadingHTTPServer):
    """Another system: it holds what belongs to whom, and does as a signed message says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.held = [owner.strip().lower() for owner in OWNERS]
        self.heard: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []  # said first, in turn

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/erase"


class Counter(BaseHTTPRequestHandler):
    """Who answers."""

    server: Shop

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.server.headers.append(dict(self.headers))
        if self.server.answers:
            self._say(*self.server.answers.pop(0))
        elif not self._is_signed(body):
            self._say(403, {}, b"{}")
        else:
            self._say(200, {}, json.dumps(self._done(json.loads(body))).encode())

    def _is_signed(self, body: bytes) -> bool:
        message = self.headers["X-Expunge-Timestamp"].encode() + b"." + body
        expected = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
        return self.headers["X-Expunge-Signature"] == f"sha256={expected}"

    def _done(self, message: dict[str, Any]) -> dict[str, Any]:
        wanted = {one.lower() for one in message["identifiers"]}
        found = [one for one in self.server.held if one in wanted]
        if message["action"] == "erase":
            self.server.held = [one for one in self.server.held if one not in wanted]
            return {"count": len(found), "how": "DELETED"}
        return {"remaining" if message["action"] == "confirm" else "count": len(found)}

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serving() -> Iterator[Shop]:
    shop = Shop()
    thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield shop
    shop.shutdown()
    thread.join()
    shop.server_close()


@contextmanager
def dripping() -> Iterator[str]:
    """A system that says a byte of its answer each tenth of a second, and never its last."""
    ended = threading.Event()

    class Drips(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.send_header("Content-Length", "60000")
            self.end_headers()
            with suppress(OSError):
                while not ended.wait(0.1):
                    self.wfile.write(b" ")

        def log_message(self, *_: object):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Drips)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
