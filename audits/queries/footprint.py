"""What still derives from the records of a case: after its close, nothing but tombstones.

The lineage query starts at the case's records, erased or not, and follows every edge, also to
versions that are destroyed and to shadow models, which no other answer lists. Beside the graph it
counts the tables that hold what was measured of single records.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from audits.models import (
    ErasureRequest,
    Evidence,
    OperatorCase,
    ScoredRecord,
    ShadowResult,
    Verdict,
)
from audits.queries.ends import exceptions_of
from audits.queries.forget_sets import forget_set
from audits.queries.look_scores import salt_name
from audits.queries.operator_cases import operator_origin_of
from lineage import keys
from lineage.core.bitmaps import decode
from lineage.models import (
    Artefact,
    DataRecord,
    DatasetSnapshot,
    LabelConflict,
    ModelVersion,
    RecordContent,
)
from lineage.queries.availability import purged_ordinals
from lineage.queries.contents import batches
from lineage.queries.derivation import with_derived
from lineage.queries.membership import members
from lineage.queries.nodes import shown
from lineage.queries.reach import reached
from unlearning.models import TrainingHistory, Tuning
from unlearning.queries.canaries import forsaken, planted_in
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

S = ErasureRequest.Status
CLOSED = (S.ERASED, S.SEALED)
SHADOW = ModelVersion.Kind.SHADOW
DESTROYED = ModelVersion.State.DESTROYED
_EVIDENCE = (Artefact.Kind.RECORD, Artefact.Kind.REPORT)


@dataclass(kw_only=True)
class Footprint:
    """What derives from the records of one case.

    * ``records``: how many the case is about; ``apart``: of these, kept by the operator's choice;
    * ``snapshots``: those that still name them, by ordinals that stand for nothing any more;
    * ``destroyed``: model versions that learned from them, and shadow models with their scores;
    * ``removed``: versions made from one of these by taking the records out, whatever the audit
      says of it; what was trained again from the start does not derive from them at all;
    * ``accepted``: versions left as they were, since their training promised enough or by an
      exception;
    * ``kept``: evidence, verdicts and pictures, and the results of searches of hyperparameters
      that they were part of: aggregates that name no record;
    * ``waiting``: sentences about what other cases, that are still open, will destroy;
    * ``left``: sentences about everything else. Empty when the erasure is complete.
    """

    records: int = 0
    apart: int = 0
    snapshots: int = 0
    destroyed: dict[str, int] = field(default_factory=lambda: {"models": 0, "shadows": 0})
    removed: int = 0
    accepted: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def footprint(request: ErasureRequest, *, now: datetime) -> Footprint:
    """Return what derives from the records of a case now.

    Raises:
        ChunkAltered, TileAltered, MapAltered: stored membership is not what was written.
    """
    found = Footprint(kept=_kept(request))
    case = operator_origin_of(request.pk)
    apart = case is not None and case.disposal == OperatorCase.Disposal.KEEP
    for space, ordinals in with_derived(forget_set(request.pk)).items():
        found.records += len(ordinals)
        _count_records(found, space, ordinals, apart=apart)
        found.kept["tunings"] += _searches(space, ordinals)
        whole = _follow(found, request, space, ordinals, now)
        if not apart:
            _count_derived(found, whole)
            _count_tables(found, space, ordinals)
    _count_rows(found, request)
    return found


def _kept(request: ErasureRequest) -> dict[str, int]:
    mine = Q(request=None) | Q(request=request)
    evidence = Evidence.objects.filter(mine, run__in=request.runs.all())
    return {
        "evidence": evidence.count(),
        "verdicts": Verdict.objects.filter(evidence__in=evidence).count(),
        "plots": evidence.exclude(plot=None).count() + _figures(evidence),
        "tunings": 0,
    }


def _figures(evidence: QuerySet[Evidence]) -> int:
    """Return how many pictures evidence names beside its curves."""
    named = evidence.values_list("payload__figures", flat=True)
    return sum(len(one) for one in named if one)


def _searches(space: OrdinalSpace, ordinals: BitMap) -> int:
    """Return how many searches of hyperparameters were made on some of the records."""
    made = Tuning.objects.filter(snapshot__space=space).exclude(view=b"")
    return sum(decode(bytes(one.view)).intersect(ordinals) for one in made)


def _count_records(
    found: Footprint, space: OrdinalSpace, ordinals: BitMap, *, apart: bool
) -> None:
    named = contents = 0
    for batch in batches(ordinals):
        rows = DataRecord.objects.filter(space=space, ordinal__in=batch)
        named += rows.filter(invalidated_at=None).count()
        contents += RecordContent.objects.filter(space=space, ordinal__in=batch).count()
    if apart:
        found.apart += named
        return
    _note(found.left, named, "record(s) still have an identity")
    _note(found.left, contents, "record(s) still have a content")


def _follow(
    found: Footprint,
    request: ErasureRequest,
    space: OrdinalSpace,
    ordinals: BitMap,
    now: datetime,
) -> list[DatasetSnapshot]:
    """Count what the records act on; return the data on which they act as a whole."""
    reach = reached(space, ordinals)
    table = shown(reach.acting)
    versions = {node: one.version for node, one in table.items() if one.version}
    learned = [version for node, version in versions.items() if reach.acting[node]]
    found.removed += sum(
        not reach.acting[node] and version.state != DESTROYED and version.kind != SHADOW
        for node, version in versions.items()
    )
    gone = [version for version in learned if version.state == DESTROYED]
    shadows = sum(version.kind == SHADOW for version in gone)
    found.destroyed["shadows"] += shadows
    found.destroyed["models"] += len(gone) - shadows
    files = Artefact.objects.filter(version__in=gone, destroyed_at=None)
    _note(
        found.left,
        files.exclude(kind__in=_EVIDENCE).count(),
        "file(s) of destroyed versions are still stored",
    )
    rest = [version for version in learned if version.state != DESTROYED]
    _count_shadows(found, request, [one for one in rest if one.kind == SHADOW], now)
    _count_models(found, request, [one for one in rest if one.kind != SHADOW])
    data = [node for node in table if node not in versions]
    found.snapshots += len(data)
    whole = [table[node].node.object_id for node in data if reach.came.get(node)]
    return list(DatasetSnapshot.objects.select_related("space", "dataset").filter(pk__in=whole))


def _count_shadows(
    found: Footprint, request: ErasureRequest, shadows: list[ModelVersion], now: datetime
) -> None:
    """Tell those that an audit of another open case needs from those that should be gone."""
    others = ErasureRequest.objects.exclude(status__in=CLOSED).exclude(pk=request.pk)
    needed = ShadowResult.objects.filter(version__in=shadows, run__requests__in=others)
    known = set(needed.values_list("version", flat=True))
    ends = [
        one.expires_at
        for one in shadows
        if one.pk in known and one.expires_at and one.expires_at > now
    ]
    if ends:
        found.waiting.append(
            f"{len(ends)} shadow model(s) of audits in other open cases learned from the "
            f"record(s), which were not erased yet. They go by {max(ends):%Y-%m-%d} at the latest."
        )
    _note(found.left, len(shadows) - len(ends), "shadow model(s) with scores are not destroyed")


def _count_models(found: Footprint, request: ErasureRequest, versions: list[ModelVersion]) -> None:
    alone = {run.target_id for run in request.runs.all() if runs.left_alone(run)}
    alone |= set(exceptions_of(request))
    others = ErasureRequest.objects.exclude(status__in=CLOSED).exclude(pk=request.pk)
    for version in versions:
        if version.pk in alone:
            found.accepted += 1
        elif others.filter(Q(runs__target=version) | Q(linked_to=request)).exists():
            found.waiting.append(f"{version} learned from them; another open case deals with it.")
        else:
            state = version.get_state_display().lower()
            found.left.append(f"{version} learned from them and is not destroyed ({state}).")


def _count_derived(found: Footprint, snapshots: Iterable[DatasetSnapshot]) -> None:
    """Name data derived as a whole: no single record of it can be erased for one of these."""
    for snapshot in snapshots:
        living = len(members(snapshot) - purged_ordinals(snapshot.space))
        _note(found.left, living, f"record(s) of {snapshot} were derived from them as a whole")


def _count_tables(found: Footprint, space: OrdinalSpace, ordinals: BitMap) -> None:
    scores = conflicts = 0
    for batch in batches(ordinals):
        alike = Q(ordinal__in=batch) | Q(other_ordinal__in=batch)
        conflicts += LabelConflict.objects.filter(alike, space=space).count()
        scores += ScoredRecord.objects.filter(case__space=space, ordinal__in=batch).count()
    _note(found.left, scores, "score(s) that an operator's case gave them are still stored")
    _note(found.left, conflicts, "conflict(s) of their targets with others' are still stored")
    ended = Q(version=None) | Q(version__state=DESTROYED)
    histories = TrainingHistory.objects.filter(ended, space=space).exclude(bitmap=b"")
    held = sum(decode(bytes(one.bitmap)).intersect(ordinals) for one in histories)
    _note(found.left, held, "training(s) without a version keep states that learned from them")


def _count_rows(found: Footprint, request: ErasureRequest) -> None:
    rows = ShadowResult.objects.filter(run__in=request.runs.all())
    _note(found.left, rows.count(), "row(s) of scores of shadow models are still stored")
    bare = request.runs.exclude(pk__in=rows.values("run")).values_list("pk", flat=True)
    salts = keys.get_many(map(salt_name, bare))
    _note(found.left, len(salts), "salt(s) of commitments to their purged scores are still stored")
    if request.status == S.SEALED:
        pairs = request.duplicates.filter(forget_ordinal__gte=0).count()
        _note(found.left, pairs, "pair(s) of one of them and a record that is like it")
    versions = request.runs.values_list("target", flat=True)
    secrets = len(forsaken() & planted_in(versions))
    _note(found.left, secrets, "secret(s) of canaries that no version has any more are stored")
    if request.subject and request.outcome == ErasureRequest.Outcome.ERASED:
        named = request.subject.identifiers.count()
        _note(found.left, named, "identifier(s) of the person are still stored")


def _note(sentences: list[str], count: int, what: str) -> None:
    if count:
        sentences.append(f"{count} {what}.")
