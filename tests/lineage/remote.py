"""A platform behind a real server, and scripts that report to it."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import torch
from django.utils import timezone
from safetensors.torch import save
from torch.utils.data import DataLoader, Dataset

from expunge import capture
from expunge.remote import HttpSink
from lineage.models import ModelVersion, Run
from lineage.queries.membership import members
from lineage.services.api_keys import create_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyroaring import BitMap

WEIGHTS = save({"w": torch.arange(3.0)})


def key(*scopes: str, days: int = 1, name: str = "script") -> str:
    """Return the secret of a new key; of one that has expired when ``days`` is negative."""
    made = create_key(
        name=name,
        scopes=scopes or ("capture",),
        now=timezone.now() - timedelta(days=10),
        lifetime=timedelta(days=10 + days),
    )
    return made.secret


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Script:
    """Makes sinks that do not wait, and remembers for how long they would have."""

    url: str
    spool: Path
    snapshot: str
    secret: str
    paused: list[float] = field(default_factory=list)

    def told(self, run: str) -> tuple[str, ...]:
        """Return what a script in another process is told; its spool is its own."""
        spool = str(self.spool / run)
        return self.url, self.secret, self.snapshot, spool, run, WEIGHTS.hex()

    def sink(self, **options: Any) -> HttpSink:  # noqa: ANN401  (fields of HttpSink)
        given: dict[str, Any] = {
            "url": self.url,
            "api_key": self.secret,
            "snapshot": self.snapshot,
            "model_name": "m",
            "spool": self.spool,
            "heartbeat_seconds": 0,
            "patience_seconds": 3,
            "pause": self.paused.append,
            **options,
        }
        return HttpSink(**given)


@contextmanager
def answering_server(status: int, body: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server with one answer to everything, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


class Rows(Dataset[torch.Tensor]):
    def __init__(self, ordinals) -> None:
        self.ordinals = list(ordinals)

    def __len__(self) -> int:
        return len(self.ordinals)

    def __getitem__(self, position) -> torch.Tensor:
        return torch.tensor(self.ordinals[position])


def train(sink, ordinals=range(9), **options: Any) -> str:  # noqa: ANN401
    loader = DataLoader(Rows(ordinals), batch_size=2, shuffle=True)
    with capture.training(loader, sink=sink, **options) as captured:
        for _ in captured.loader:
            captured.check()
        return captured.finish(weights=WEIGHTS, metrics={"loss": 0.5})


def run_of(version: str) -> Run:
    return ModelVersion.objects.get(id=version).generated_by


def used_by(run: Run) -> BitMap:
    used = run.inputs.get().used_snapshot
    assert used is not None
    return members(used)
