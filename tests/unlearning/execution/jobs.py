"""Jobs of training and unlearning, claimed; and models that are equal."""

from __future__ import annotations

from datetime import timedelta

import torch

from lineage.core import weights
from lineage.queries.artefacts import weights_of
from lineage.services import jobs
from tests.audits.world import MLP, NOW, SMALL


def claimed(kind, payload_id, **parameters: object):
    job = jobs.create_job(
        key=f"{kind}:{payload_id}",
        kind=kind,
        queue="heavy",
        payload_id=payload_id,
        parameters=parameters,
        now=NOW,
    )
    return jobs.claim_job(job_id=job.pk, now=NOW, lease=timedelta(hours=1))


def wanted(snapshot, **more: object):
    return {
        "model_name": "model",
        "recipe": MLP,
        "recipe_parameters": SMALL,
        "snapshot": str(snapshot.pk),
        "base": None,
        "seed": 3,
        **more,
    }


def equal(one, other):
    mine, theirs = (weights.from_bytes(weights_of(each)) for each in (one, other))
    return all(torch.equal(mine[name], theirs[name]) for name in mine)
