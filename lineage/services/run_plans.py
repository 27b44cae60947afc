"""What a run is told when it begins and what it tells when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.models import DatasetSnapshot, Influence, ModelVersion, Role, Run

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from pyroaring import BitMap

_DIRECT = (
    Role.TRAINING,
    Role.BASE_MODEL,
    Role.TEACHER,
    Role.SOURCE_MODEL,
    Role.GENERATOR,
    Role.LABELS,
)
# Whatever is neither in the first list nor here acts indirectly. From source data the records are
# followed one by one, by their ordinals or by a map, so the whole does not act on the whole.
_INERT = (Role.FORGET, Role.SOURCE_DATA)


def effect_of(role: str) -> str:
    """Return how an input acts by its role alone."""
    if role in _INERT:
        return Influence.NONE
    return Influence.DIRECT if role in _DIRECT else Influence.INDIRECT


@dataclass(frozen=True, kw_only=True)
class Input:
    """A snapshot or a model version that a run reads.

    ``influence`` follows from the role where it is empty: training data, labels, and the models
    that something was made from act directly; validation, tuning and fitted components
    indirectly; a forget set not at all: what is in it does not act on the output any more.
    The records of SOURCE_DATA are followed one by one into what was derived from them.
    """

    source: DatasetSnapshot | ModelVersion
    role: str = Role.TRAINING
    influence: str = ""

    @property
    def effect(self) -> str:
        """How the input acts on what the run writes."""
        return self.influence or effect_of(self.role)


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What is known when a run begins.

    ``run_id`` is the run's identifier where it was chosen outside.
    ``capture_level`` is SNAPSHOT where it is empty and a snapshot is declared, else NONE. A
    model version as input makes its output a descendant of that version.
    """

    activity: str
    inputs: tuple[Input, ...] = ()
    capture_level: str = ""
    procedure: str = ""
    parent: Run | None = None
    recipe: str = ""
    recipe_parameters: Mapping[str, Any] = field(default_factory=dict)
    recipe_digest: str = ""
    seed: int | None = None
    sampler: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    run_id: uuid.UUID | None = None

    @property
    def capture(self) -> str:
        """How the membership of the run is learned."""
        declared = any(isinstance(item.source, DatasetSnapshot) for item in self.inputs)
        return self.capture_level or (Run.Capture.SNAPSHOT if declared else Run.Capture.NONE)


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run wrote.

    * ``weights``: safetensors bytes; empty for a model that was not kept;
    * ``used``: ordinals really used, of the one TRAINING snapshot; None: all that it declares;
    * ``release``: whether the version may be used at once; else it is a CANDIDATE. A shadow
      model is never released;
    * ``waiting``: whether it may have learned from restricted records, which are no reason to keep
      it out of use: it replaces a version in use that learned from all of them, and a case of
      their own takes them out later. Erased records are a reason all the same;
    * ``first_steps``: of ``used``, in the form of ``lineage.core.first_steps``;
    * ``version_id``: the version's identifier where it was chosen outside;
    * ``sampler``: added to what was known at the start;
    * ``seconds``: without them, the time since the run began;
    * ``expires_at``: when the version is destroyed at the latest; without, it stays.
    """

    model_name: str
    weights: bytes = field(repr=False)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    used: BitMap | None = None
    kind: str = ModelVersion.Kind.MODEL
    release: bool = True
    waiting: bool = False
    guarantee: str = ""
    revision_of: ModelVersion | None = None
    sampler: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    first_steps: bytes | None = field(default=None, repr=False)
    version_id: uuid.UUID | None = None
    expires_at: datetime | None = None
