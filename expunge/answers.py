"""The shapes of what the API answers. Moments and days are texts in ISO 8601, as sent."""

from __future__ import annotations

from typing import Any, TypedDict


class Case(TypedDict):
    """How far a case is."""

    reference: str
    kind: str
    status: str
    outcome: str
    received_at: str
    due_on: str | None


class Served(TypedDict):
    """A version for whoever serves it; ``outputs`` is FULL, LABELS or a number of decimals."""

    version: str
    name: str
    state: str
    usable: bool
    outputs: str


class NamedVersion(TypedDict):
    """A version by its name; ``captured`` says how it is known what its run read."""

    version: str
    name: str
    external_id: str
    kind: str
    state: str
    captured: str


class Version(NamedVersion):
    """A version of a model."""

    model: str
    number: int
    guarantee: str
    run: str
    revision_of: str | None
    generated_at: str
    invalidated_at: str | None
    metrics: dict[str, Any]


class Step(TypedDict):
    """One step of the way from data to a version."""

    source: str
    role: str
    influence: str


class Why(NamedVersion):
    """Whether and how a version learned from records; ``affected`` is None where nobody knows."""

    affected: bool | None
    why: list[Step]
    space: str | None
    hits: int
    direct: bool | None
    influence: str | None
    depth: int | None
    earliest_step: int | None
    forget_set_digest: str | None


class Hit(NamedVersion):
    """A version that records act on."""

    why: list[Step]
    space: str
    hits: int
    direct: bool
    influence: str
    depth: int
    earliest_step: int | None
    forget_set_digest: str


class Affected(TypedDict):
    """Every version that records act on, and every one of which it is not known."""

    records: dict[str, int]
    affected: list[Hit]
    possibly_affected: list[NamedVersion]
    not_affected: int


class Subject(TypedDict):
    """A person by their pseudonym."""

    subject: str
    records: int
    spaces: dict[str, int]
    restricted: int
    created_at: str
    erased_at: str | None
