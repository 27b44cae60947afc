"""Unlearning runs that serve the cases, and the evidence about them. Import it after Django.

There are fewer versions than cases, so cases share runs, as they do where an operator lets them
wait for one another. The evidence is what a look makes of made-up scores.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import rfc8785
from pyroaring import BitMap

from audits.core.contrast import keep, recompute
from audits.core.design import TwinDesign
from audits.core.policy import AuditData, EvidencePolicy
from audits.core.shadow_scores import Accuracies, ShadowScores
from audits.execution.look_payload import payload_of
from audits.models import AuditPlan, ErasureRequest, Evidence, Release, Verdict
from benchmarks.crowd_cases import WITH_RUN
from benchmarks.crowd_rows import job
from lineage.core.bitmaps import digest
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audits.core.verdict import Verdict as Judged
    from benchmarks.crowd_cases import Story
    from benchmarks.crowd_lineage import Registry
    from benchmarks.crowd_rows import Rows
    from lineage.models import ModelVersion

    Pair = tuple[ModelVersion, ModelVersion]

MODELS, RECORDS = 64, 10  # of a look: per arm, and of one person
LOOKS = 8  # different ones; their evidence is used again and again
SEEN = 1.5  # shift before unlearning, in standard deviations; afterwards there is none
TOGETHER = 10  # open cases that share a run


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look kept, and what follows from it."""

    payload: dict[str, Any]
    digest: str
    verdict: Judged


def add_runs(rows: Rows, registry: Registry, stories: Sequence[Story], now: datetime) -> None:
    """Keep the runs of all cases that have one, space by space, with plans and evidence."""
    policy = EvidencePolicy(
        looks=(MODELS,), max_trainings=2 * MODELS, audit_data=AuditData.OWN_RECORDS
    )
    looks = [_look(seed, policy) for seed in range(LOOKS)]
    drawn = random.Random(9)  # noqa: S311  (a sample)
    for dataset in registry.datasets:
        pairs = registry.pairs_of(dataset.space)
        mine = [one for one in stories if one.person.space == dataset.space]
        over = [one for one in mine if one.case.outcome == "ERASED"]
        for pair, batch in _batches(pairs, over):
            run = _run(rows, pair, batch, status="CLEARED")
            _judge(rows, run, batch, policy, [drawn.choice(looks) for _ in batch])
        working = [one for one in mine if one.case.status in WITH_RUN]
        newest = [pair[1] for pair in pairs]
        for first in range(0, len(working), TOGETHER):
            batch = working[first : first + TOGETHER]
            at = now - timedelta(hours=drawn.randrange(40))
            target = newest[-1 - (first // TOGETHER) % len(newest)]
            _working(rows, target, batch, at)


def _batches(pairs: Sequence[Pair], over: list[Story]) -> Iterator[tuple[Pair, list[Story]]]:
    """Yield a pair of versions with the cases that it serves, both in the order of time."""
    over.sort(key=lambda one: one.case.received_at)
    size = max(1, -(-len(over) // len(pairs)))
    for place, pair in enumerate(pairs):
        if batch := over[place * size : (place + 1) * size]:
            yield pair, batch


def _run(rows: Rows, pair: Pair, batch: Sequence[Story], *, status: str) -> UnlearningRun:
    target, unlearned = pair
    at = max(one.case.received_at for one in batch)
    run = UnlearningRun(
        **_planned(target, batch),
        status=status,
        guarantee="APPROXIMATE",
        unlearned=unlearned,
        report={"elapsed_seconds": 12.5},
        seconds=12.5,
        retrain_seconds_predicted=90.0,
        created_at=at,
        ended_at=at + timedelta(hours=1),
    )
    rows.add(run, *_links(run, batch))
    rows.add(*(job(kind, "heavy", run.pk, at) for kind in ("UNLEARN", "AUDIT", "JUDGE")))
    for one in batch:
        data = {"version": target.pk, "method": run.method, "run": run.pk}
        count = {"forget_count": run.forget_count, "forget_digest": run.forget_digest}
        rows.log("run_planned", at, one.case, **data, **count)
    return run


def _links(run: UnlearningRun, batch: Sequence[Story]) -> Iterator[Any]:
    through = ErasureRequest.runs.through
    for one in batch:
        yield through(erasurerequest_id=one.case.pk, unlearningrun_id=run.pk)


def _working(rows: Rows, target: ModelVersion, batch: Sequence[Story], at: datetime) -> None:
    """Keep a run that is not over: it is queued, running, or being audited by no one yet."""
    run = _run_queued(target, batch, at)
    rows.add(run, *_links(run, batch), job("UNLEARN", "heavy", run.pk, at, "QUEUED"))


def _planned(target: ModelVersion, batch: Sequence[Story]) -> dict[str, Any]:
    forget = BitMap.union(*(one.person.ordinals for one in batch))
    return {
        "target": target,
        "method": "finetune",
        "hyperparameters": {"epochs": 1},
        "seed": 1,
        "space": batch[0].person.space,
        "forget_bitmap": forget.serialize(),
        "forget_count": len(forget),
        "forget_digest": digest(forget),
    }


def _run_queued(target: ModelVersion, batch: Sequence[Story], at: datetime) -> UnlearningRun:
    return UnlearningRun(
        **_planned(target, batch),
        created_at=at,
    )


def _judge(
    rows: Rows,
    run: UnlearningRun,
    batch: Sequence[Story],
    policy: EvidencePolicy,
    looks: Sequence[Look],
) -> None:
    """Keep the plan of an audit, and for each case what was measured and concluded."""
    at = run.ended_at
    assert at is not None  # noqa: S101  (it is over)
    shared = len(batch) > 1
    design = TwinDesign(seed=run.seed, looks=policy.looks, subjects=len(batch))
    named: dict[str, Any] = {"seed": str(design.seed), "looks": list(design.looks)}
    named |= {"canaries": design.canaries}
    if shared:
        named |= {"subjects": [[str(one.case.pk)] for one in batch]}
        named |= {"places": [place for place in range(len(batch)) for _ in range(RECORDS)]}
    rows.add(
        AuditPlan(
            run=run,
            design=named,
            design_digest=design.digest(),
            policy=policy.as_dict(),
            policy_digest=policy.digest(),
            fixed_at=at,
        )
    )
    for one, look in zip(batch, looks, strict=True):
        found = Evidence(
            run=run,
            request=one.case if shared else None,
            kind="U_LIRA",
            models_per_arm=MODELS,
            payload=look.payload,
            digest=look.digest,
            created_at=at,
        )
        said = {"outcome": look.verdict.outcome.value, "reasons": list(look.verdict.reasons)}
        rows.add(found, Verdict(run=run, evidence=found, final=True, created_at=at, **said))
        data = {"evidence": look.digest, "models_per_arm": MODELS, "verdict": said["outcome"]}
        rows.log("verdict_reached", at, one.case, run=run.pk, **data)
    rows.add(Release(run=run, state="RELEASED", reason="", created_at=at, released_at=at))


def _look(seed: int, policy: EvidencePolicy) -> Look:
    """Return a look at made-up scores, in which nothing of the records is left."""
    draw, models = np.random.default_rng(seed), 2 * MODELS
    member = np.arange(models) % 2 == 0
    scores = ShadowScores(
        before=draw.normal(size=(models, RECORDS)) + SEEN * member[:, None],
        after=draw.normal(size=(models, RECORDS)),
        member=member,
        retrained=None,
        accuracies=Accuracies(
            retained_before=draw.normal(0.99, 0.002, models),
            retained_after=draw.normal(0.99, 0.002, models),
            test_before=draw.normal(0.95, 0.005, models),
            test_after=draw.normal(0.95, 0.005, models),
        ),
    )
    kept = keep(scores, seed=seed, index=draw.permutation(RECORDS))
    judged = recompute(kept, policy)
    payload = payload_of({"u_lira": kept}, judged, policy, [], {})
    return Look(
        payload=payload,
        digest=hashlib.sha256(rfc8785.dumps(payload)).hexdigest(),
        verdict=judged,
    )
