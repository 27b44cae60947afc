"""A collector of traces: it takes OTLP over HTTP as OpenTelemetry's own does, and keeps it."""

from __future__ import annotations

import gzip
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from config import tracing
from lineage.core import recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

KINDS = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
FAILED = 2
ALLOWED = set(recorded.ATTRIBUTES.values())
# An address of somebody, a name of staff, or of a page, whose address may hold a token.
# Whole words: an identifier of hexadecimal digits may end like a name.
PERSONAL = re.compile(r"@|example|\bada\b|officer|reviewer|://|/", re.IGNORECASE)
TOLD_OF_PROCESS = {
    "process.pid",
    "service.instance.id",
    "service.name",
    "service.version",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
}


@dataclass(frozen=True)
class Got:
    """A span as it arrived."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    about: dict[str, Any]
    moved: tuple[str, ...]
    events: tuple[str, ...]
    failed: bool
    process: int
    seconds: float


@dataclass
class Collector:
    """What came in, and where it listens."""

    address: str = ""
    bodies: list[bytes] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    @property
    def spans(self) -> list[Got]:
        """Every span, in the order in which they ended in their processes."""
        return [one for body in self.bodies for one in _read(body, self.resources)]

    def named(self, name: str) -> Got:
        """The only span of this name."""
        (found,) = [one for one in self.spans if one.name == name]
        return found


def _read(body: bytes, resources: list[dict[str, Any]]) -> Iterator[Got]:
    for part in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _values(part.resource.attributes)
        resources.append(resource)
        for scope in part.scope_spans:
            for span in scope.spans:
                yield _got(span, resource)


def _got(span: Span, resource: dict[str, Any]) -> Got:
    events = [(one.name, _values(one.attributes)) for one in span.events]
    return Got(
        name=span.name,
        kind=KINDS[span.kind],
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(one.span_id.hex() for one in span.links),
        about=_values(span.attributes),
        moved=tuple(about["expunge.state"] for name, about in events if name == "moved"),
        events=tuple(name for name, _ in events),
        failed=span.status.code == FAILED,
        process=resource["process.pid"],
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
    )


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen on a free port of this machine."""
    collector = Collector()

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces" and collector.status == 200:
                collector.bodies.append(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(collector.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    collector.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def exported(collector):
    """Everything recorded so far, which is of nobody."""
    for each in tracing._recording:
        each.flush()
    found = collector.spans
    for one in found:
        assert set(one.about) <= ALLOWED, one
        assert set(one.events) <= {"moved"}, one
    assert all(set(one) <= TOLD_OF_PROCESS for one in collector.resources)
    said = [str(value) for one in found for value in (one.name, *one.about.values())]
    said += [str(value) for one in collector.resources for value in one.values()]
    assert not [text for text in said if PERSONAL.search(text)]
    return found
