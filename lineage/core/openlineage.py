"""OpenLineage events, as far as they say something about membership and models.

Names are those of the specification (spec 2-0-2): run, job, dataset, facet. Ours are
``expunge_recordMembership`` (input), ``expunge_role`` (input) and ``expunge_sampler`` (run).
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import rfc8785

from lineage.core.bitmaps import BitmapUnreadable, read, split
from lineage.core.membership import snapshot_digest
from lineage.core.nul import holds_nul

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyroaring import BitMap

TYPES = ("START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER")
MODEL = "MODEL"
OWN_NAMESPACE = "expunge"  # of the models of this platform's own registry
MEMBERSHIP, ROLE, SAMPLER = "expunge_recordMembership", "expunge_role", "expunge_sampler"


class EventUnreadable(ValueError):
    """The event is not one of OpenLineage, or a facet of it cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A data set or a model of an event.

    * ``version``: of the version facet, or empty;
    * ``ordinals``: the membership that our facet gives, by the name of its space, or None;
    * ``digest``: of these, as the facet gives it, or None; see ``check_digest``;
    * ``locations``: the files that a subset facet names.
    """

    namespace: str
    name: str
    model: bool = False
    version: str = ""
    role: str = ""
    space: str = ""
    ordinals: BitMap | None = field(default=None, repr=False)
    digest: str | None = None
    locations: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A run event."""

    sha256: str
    type: str
    time: datetime
    run: uuid.UUID
    job_namespace: str
    job_name: str
    job_type: str
    sampler: Mapping[str, Any]
    inputs: tuple[Named, ...]
    outputs: tuple[Named, ...]


def parse(body: Any) -> Event | None:  # noqa: ANN401  (JSON)
    """Return a run event; None for an event about a job or a data set alone.

    Raises:
        EventUnreadable: with a sentence that names the field.
    """
    if not isinstance(body, dict):
        raise EventUnreadable("An event is a JSON object.")
    try:
        return _parsed(body)
    except (AttributeError, TypeError) as error:
        raise EventUnreadable(
            "A field of run, job, inputs or outputs has another type than the specification says."
        ) from error


def _parsed(body: Mapping[str, Any]) -> Event | None:
    if "run" not in body:
        if "job" in body or "dataset" in body:
            return None
        raise EventUnreadable("The event has none of run, job and dataset.")
    run, job = _object(body, "run"), _object(body, "job")
    kind = body.get("eventType", "OTHER")
    if kind not in TYPES:
        raise EventUnreadable(f"eventType must be one of {', '.join(TYPES)}.")
    job_type = _facet(job, "jobType")
    return Event(
        sha256=hashlib.sha256(_canonical(body)).hexdigest(),
        type=kind,
        time=_time(body),
        run=_uuid(run),
        job_namespace=_text(job, "namespace"),
        job_name=_text(job, "name"),
        job_type=str(job_type.get("jobType", "")),
        sampler=_facet(run, SAMPLER),
        inputs=tuple(_named(one, "inputFacets") for one in body.get("inputs") or ()),
        outputs=tuple(_named(one, "outputFacets") for one in body.get("outputs") or ()),
    )


def _canonical(body: Any) -> bytes:  # noqa: ANN401  (JSON)
    try:
        written = rfc8785.dumps(body)
    except RecursionError as error:
        raise EventUnreadable("The event is nested too deeply.") from error
    except UnicodeEncodeError as error:  # in the name of a field, which is sorted by it
        raise EventUnreadable("The event holds half of a surrogate pair.") from error
    except rfc8785.CanonicalizationError as error:
        raise EventUnreadable("The event holds a number that JSON cannot hold exactly.") from error
    if holds_nul(written):
        raise EventUnreadable("The event holds a NUL character, which no text here may hold.")
    return written


def _named(one: Any, own_facets: str) -> Named:  # noqa: ANN401  (JSON)
    if not isinstance(one, dict):
        raise EventUnreadable("Each of inputs and outputs is an object.")
    facets = one.get("facets") or {}
    own = one.get(own_facets) or {}
    membership = own.get(MEMBERSHIP) or {}
    return Named(
        namespace=_text(one, "namespace"),
        name=_text(one, "name"),
        model=str((facets.get("datasetType") or {}).get("datasetType", "")).upper() == MODEL,
        version=_version(facets),
        role=str((own.get(ROLE) or {}).get("role", "")).upper(),
        space=str(membership.get("ordinalSpace", "")),
        ordinals=_ordinals(membership) if membership else None,
        digest=None if (told := membership.get("digest")) is None else str(told),
        locations=_locations(own.get("subset") or {}),
    )


def _version(facets: Mapping[str, Any]) -> str:
    found = str((facets.get("version") or {}).get("datasetVersion", ""))
    if len(found) > 200:  # noqa: PLR2004  (our column)
        raise EventUnreadable("version.datasetVersion must have at most 200 characters.")
    return found


def _ordinals(facet: Mapping[str, Any]) -> BitMap:
    try:
        found = read(base64.b64decode(facet["bitmap"], validate=True))
    except (KeyError, ValueError, BitmapUnreadable) as error:
        raise EventUnreadable(
            f"{MEMBERSHIP}.bitmap must be base64 of a portable Roaring bitmap."
        ) from error
    if facet.get("cardinality", len(found)) != len(found):
        raise EventUnreadable(f"{MEMBERSHIP}.cardinality is not that of its bitmap.")
    return found


def check_digest(named: Named) -> None:
    """Check the digest that came with a membership, once its ordinals are known to be ours.

    A few bytes can stand for billions of ordinals, and a digest needs every chunk of them.

    Raises:
        EventUnreadable: it is not that of the bitmap.
    """
    if named.digest is None or named.ordinals is None:
        return
    digest = snapshot_digest((chunk.number, chunk.sha256) for chunk in split(named.ordinals))
    if named.digest != digest:
        raise EventUnreadable(
            f"{MEMBERSHIP}.digest is {named.digest[:80]!r}, but the digest of its bitmap is "
            f"{digest}; send that one, or none."
        )


def _locations(facet: Mapping[str, Any]) -> tuple[str, ...]:
    condition = facet.get("inputCondition") or {}
    if condition.get("type") != "location":
        return ()
    return tuple(str(one) for one in condition.get("locations") or ())


def _facet(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = (holder.get("facets") or {}).get(name) or {}
    return found if isinstance(found, dict) else {}


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    if not isinstance(found, dict):
        raise EventUnreadable(f"{name} must be an object.")
    return found


def _text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= 200:  # noqa: PLR2004  (our columns)
        raise EventUnreadable(f"{name} must be a text of 1 to 200 characters.")
    return found


def _uuid(run: Mapping[str, Any]) -> uuid.UUID:
    try:
        return uuid.UUID(str(run.get("runId")))
    except ValueError as error:
        raise EventUnreadable("run.runId must be a UUID.") from error


_YEARS = (1970, 2999)


def _time(body: Mapping[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(str(body.get("eventTime")))
    except ValueError as error:
        raise EventUnreadable("eventTime must be a time in the form of ISO 8601.") from error
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise EventUnreadable(
            f"eventTime is in the year {found.year}; allowed are {_YEARS[0]} to {_YEARS[1]}."
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)
