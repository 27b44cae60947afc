"""The shapes of what the API answers. Moments and days are texts in ISO 8601, as sent."""

from __future__ import annotations

from typing import Any, TypedDict


class Case(TypedDict):
    """How far a case is."""

    accepted_at: str | None
    due_on: str | None
    erased_at: str | None
    kind: str
    outcome: str
    received_at: str
    reference: str
    sealed_at: str | None
    status: str
    verified_at: str | None


class WholeCase(Case):
    """A case, and whose it is once that is known: a pseudonym."""

    subject: str | None


class Progress(TypedDict):
    """How far the work on something is."""

    done: int
    phase: str
    status: str
    total: int


class CaseRun(TypedDict):
    """One unlearning of one version for a case."""

    created_at: str
    ended_at: str | None
    escalated_from: str | None
    forget_set_size: int
    guarantee: str
    method: str
    progress: Progress | None
    run: str
    seconds: float | None
    status: str
    unlearned: str | None
    verdict: str | None
    version: str
    version_name: str


class Evidence(TypedDict):
    """One look at a version: at how many models, and the verdict; None where none was drawn."""

    created_at: str
    digest: str
    evidence: str
    final: bool | None
    kind: str
    look: int
    models_per_arm: int
    outcome: str | None
    reasons: list[str]
    run: str
    version: str


class Decision(TypedDict):
    """What was proposed for a case, and whether a second person approved it."""

    approved_at: str | None
    decision: str
    grounds: list[str]
    kind: str
    proposed_at: str
    refusal_code: str
    state: str


class Served(TypedDict):
    """A version for whoever serves it.

    ``outputs`` is FULL, LABELS or a number of decimals; ``digest`` the SHA-256 of the weights in
    hex; ``queries_per_day`` what a caller may have, and 0 for no limit.
    """

    digest: str
    model: str
    name: str
    outputs: str
    queries_per_day: int
    state: str
    usable: bool
    version: str


class NamedVersion(TypedDict):
    """A version by its name; ``captured`` says how it is known what its run read."""

    captured: str
    external_id: str
    kind: str
    name: str
    state: str
    version: str


class Version(NamedVersion):
    """A version of a model."""

    generated_at: str
    guarantee: str
    invalidated_at: str | None
    metrics: dict[str, Any]
    model: str
    number: int
    revision_of: str | None
    run: str


class Source(TypedDict):
    """What a run read: a snapshot or another version, for what, and how it acts."""

    influence: str
    label: str
    role: str
    snapshot: str | None
    version: str | None


class Step(TypedDict):
    """One step of the way from data to a version."""

    influence: str
    role: str
    source: str


class Why(NamedVersion):
    """Whether and how a version learned from records; ``affected`` is None where nobody knows."""

    affected: bool | None
    depth: int | None
    direct: bool | None
    earliest_step: int | None
    forget_set_digest: str | None
    hits: int
    influence: str | None
    space: str | None
    why: list[Step]


class Hit(NamedVersion):
    """A version that records act on."""

    depth: int
    direct: bool
    earliest_step: int | None
    forget_set_digest: str | None
    hits: int
    influence: str
    space: str
    why: list[Step]


class Affected(TypedDict):
    """Every version that records act on, and every one of which it is not known."""

    affected: list[Hit]
    not_affected: int
    possibly_affected: list[NamedVersion]
    records: dict[str, int]


class Subject(TypedDict):
    """A person by their pseudonym."""

    created_at: str
    erased_at: str | None
    records: int
    restricted: int
    spaces: dict[str, int]
    subject: str


class Record(TypedDict):
    """A record by its place: SPACE:ORDINAL."""

    erased_at: str | None
    generated_at: str
    ordinal: int
    record: str


class Snapshot(TypedDict):
    """A state of a data set."""

    created_at: str
    dataset: str
    digest: str
    external_version: str
    generated_by: str | None
    namespace: str
    number: int
    parent: str | None
    record_count: int
    snapshot: str
    space: str


class RecordFacts(Record):
    """How a record stands; what says something about a person is None without its scope."""

    media_type: str | None
    restricted: bool
    sha256: str | None
    size: int | None
    stored: bool
    subject: str | None
    target: str | None


class Run(TypedDict):
    """A training, or whatever else read and wrote data or models."""

    activity: str
    captured: str
    ended_at: str | None
    external_id: str
    procedure: str
    recipe: str
    run: str
    seconds: float | None
    started_at: str
    state: str


class WholeRun(Run):
    """A run with what it read, and the versions and snapshots that it wrote."""

    inputs: list[Source]
    snapshots: list[str]
    versions: list[str]


class Extension(TypedDict):
    """Why an answer takes longer, until when, and when the person was told."""

    decided_at: str
    new_due: str
    reason: str
    told_at: str | None


class Deployment(TypedDict):
    """A version at a place; where it is not ``usable``, take it down."""

    acknowledged_at: str | None
    deployed_at: str
    deployment: str
    kind: str
    name: str
    place: str
    switched_at: str | None
    usable: bool
    version: str
    withdrawn_at: str | None


class Health(TypedDict):
    """Whether the platform can be used, and what its queues hold."""

    jobs_queued: int
    jobs_running: int
    oldest_queued_seconds: float | None
    status: str
