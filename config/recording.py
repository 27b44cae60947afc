"""OpenTelemetry records the spans of cases, and sends them to a collector by OTLP over HTTP.

Nothing of it is global: other libraries that speak OpenTelemetry get nothing of ours, and we
export nothing of theirs, whose spans may hold queries and addresses.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import PROCESS_PID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from expunge.version import VERSION
from lineage.core.recorded import IDLE, TRACEPARENT, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

    from lineage.core.recorded import Kind

SECONDS = 3.0  # that an export may take, unless the environment says otherwise
SILENCE = 30.0  # seconds in which a collector that did not answer is not asked again
MOST = 2048  # spans that wait for it
TIMEOUTS = {"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"}
UNNAMED = "unknown_service"  # what the SDK calls a service that the environment does not name
_chosen: ContextVar[Place | None] = ContextVar("chosen", default=None)


class Ids(RandomIdGenerator):
    """Ids of chance, except where a place is chosen."""

    def generate_span_id(self) -> int:
        """Return the id of a span."""
        place = _chosen.get()
        return place.span if place else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """Return the id of a trace."""
        place = _chosen.get()
        return place.trace if place else super().generate_trace_id()


class AtTheEnd(SpanProcessor):
    """Keeps spans until the work is done, and exports them in the same thread.

    A worker forks, and runs Python in the fork, so it has no second thread. What a collector
    does not take waits for another try, ``SILENCE`` seconds later at the earliest.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._kept: deque[ReadableSpan] = deque(maxlen=MOST)
        self._not_before = 0.0

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span, unless nothing came of it."""
        if span.context is not None and not (span.attributes or {}).get(IDLE):
            self._kept.append(span)

    def force_flush(self, timeout_millis: int = 0) -> bool:  # noqa: ARG002  (the exporter's own)
        """Export what is kept; return whether nothing is left."""
        if not self._kept or time.monotonic() < self._not_before:
            return not self._kept
        if self._exporter.export(tuple(self._kept)) is SpanExportResult.SUCCESS:
            self._kept.clear()
        else:
            self._not_before = time.monotonic() + SILENCE
        return not self._kept

    def shutdown(self) -> None:
        """Export what is kept, for the last time."""
        self.force_flush()
        self._exporter.shutdown()


class OneSpan:
    """A span of OpenTelemetry, as ``lineage.core.recorded.Recorded`` wants it."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.place = Place(trace=context.trace_id, span=context.span_id)

    def note(self, attributes: Mapping[str, str | int]) -> None:
        """Say more of it."""
        self._span.set_attributes(attributes)

    def event(self, name: str, attributes: Mapping[str, str | int]) -> None:
        """Say what happened in it at this moment."""
        self._span.add_event(name, attributes)

    def close(self, *, failed: bool = False, at: int | None = None) -> None:
        """End it, now or at a time in nanoseconds since 1970."""
        if failed:
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end(at)


class Recording:
    """Records spans in this process; ``lineage.core.recorded.Recorder`` says what methods do.

    What exports is made with the first span, so that a process that forks before has none.

    Args:
        in_background: export from a thread of its own, while the process goes on.
    """

    def __init__(self, *, in_background: bool = False) -> None:
        self._in_background = in_background
        self._made: tuple[int, TracerProvider] | None = None

    def start(
        self,
        name: str,
        parent: Place,
        kind: Kind,
        *,
        link: Place | None = None,
        began: int | None = None,
    ) -> OneSpan:
        """Begin a span in another one."""
        span = self._tracer().start_span(
            name,
            context=self._around(parent),
            kind=trace.SpanKind[kind],
            links=[trace.Link(self._context(link))] if link else [],
            start_time=began,
        )
        return OneSpan(span)

    def first(self, place: Place, name: str, *, began: int) -> OneSpan:
        """Begin a span that lies in no other and has the ids of a place."""
        token = _chosen.set(place)
        try:
            return OneSpan(self._tracer().start_span(name, context=Context(), start_time=began))
        finally:
            _chosen.reset(token)

    def write(self, place: Place) -> str:
        """Return a ``traceparent`` that names a place."""
        told: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(told, self._around(place))
        return told[TRACEPARENT]

    def read(self, traceparent: str) -> Place | None:
        """Return the place that a ``traceparent`` names; None where it names none."""
        told = TraceContextTextMapPropagator().extract({TRACEPARENT: traceparent}, Context())
        found = trace.get_current_span(told).get_span_context()
        return Place(trace=found.trace_id, span=found.span_id) if found.is_valid else None

    def flush(self) -> None:
        """Export what this process has recorded; where a thread does that, it is left to it."""
        if self._made and self._made[0] == os.getpid() and not self._in_background:
            self._made[1].force_flush()

    def close(self) -> None:
        """Export what this process has recorded, and stop."""
        if self._made and self._made[0] == os.getpid():
            self._made[1].shutdown()
        self._made = None

    def _tracer(self) -> trace.Tracer:
        return self._provider().get_tracer("expunge", VERSION)

    def _provider(self) -> TracerProvider:
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), self._make())
        return self._made[1]

    def _make(self) -> TracerProvider:
        made = TracerProvider(resource=_resource(), id_generator=Ids())
        told = os.environ.keys() & TIMEOUTS
        exporter = OTLPSpanExporter(timeout=None if told else SECONDS)
        waiting = BatchSpanProcessor if self._in_background else AtTheEnd
        made.add_span_processor(waiting(exporter))
        return made

    def _context(self, place: Place) -> trace.SpanContext:
        sampler = self._provider().sampler
        decision = sampler.should_sample(None, place.trace, "case").decision
        kept = decision is Decision.RECORD_AND_SAMPLE
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if kept else trace.TraceFlags.DEFAULT)
        return trace.SpanContext(place.trace, place.span, is_remote=True, trace_flags=flags)

    def _around(self, place: Place) -> Context:
        span = trace.NonRecordingSpan(self._context(place))
        return trace.set_span_in_context(span, Context())


def _resource() -> Resource:
    """Return what is said of the process: where the environment says it, that goes first."""
    found = Resource.create()  # OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, an id of chance
    ours: dict[str, str | int] = {SERVICE_VERSION: VERSION, PROCESS_PID: os.getpid()}
    if str(found.attributes[SERVICE_NAME]).startswith(UNNAMED):
        ours[SERVICE_NAME] = "expunge"
    return found.merge(Resource(ours))
