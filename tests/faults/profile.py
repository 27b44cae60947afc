"""What every installation of the faults begins with: four data sets with a tiny model each.

Made once for each state of the code, by ``template.fill`` inside a new home, and copied. A lane
is a data set, its model, and people who leave it one after another.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.services.importing import Row

QUICK = bool(os.environ.get("EXPUNGE_FAULTS_QUICK"))
LANES = 1 if QUICK else 4
PEOPLE = 5 if QUICK else 30  # of each lane, who train and then leave
RECORDS = 6  # of each person
STRANGERS = 10  # who never train: the pool that shadow models take in their place
RECIPE = "unlearning.recipes.digits:DigitsMLP"
PARAMETERS = {"hidden": 8, "epochs": 2, "targets": [str(digit) for digit in range(10)]}
# The fewest shadow models that a policy allows; a tiny model passes no gate of accuracy.
POLICY = {
    "audit_data": "own_records",
    "looks": [6],
    "max_trainings": 12,
    "margin_utility": 0.99,
}
SETTINGS = {
    "EXPUNGE_LEASE_SECONDS": "3",
    "EXPUNGE_SWEEP_SECONDS": "1",
    "EXPUNGE_FORM_MIN_SECONDS": "0",
    "EXPUNGE_FORM_PER_HOUR": "100000",
    "EXPUNGE_POLICY": json.dumps(POLICY),
    # Fine-tuning cannot pass with so few shadow models: every case is escalated to retraining.
    "EXPUNGE_METHOD": "retrain" if QUICK else "finetune",
    "EXPUNGE_METHOD_SETTINGS": json.dumps({} if QUICK else {"epochs": 1}),
    "EXPUNGE_CERTIFICATE_DAYS": "0",
    "EXPUNGE_DUPLICATE_DISTANCE": "0.0001",  # whoever is like somebody else would wait for staff
    "EXPUNGE_LABEL_CONFLICTS": "IGNORE",
    "OMP_NUM_THREADS": "1",
}
# What a job of training imports; the last one with the first step of an optimizer.
_LATER = ("audits.management.commands.run_job", "unlearning.execution.training", "torch._dynamo")
STAFF = {"fault-officer": ("Case officer", "Model operator"), "fault-reviewer": ("Reviewer",)}
PASSWORD = "four cases in flight"


def person(lane: int, number: int) -> str:
    """Return the address of somebody in a lane."""
    return f"p{number}@lane{lane}.example.org"


def set_up() -> None:
    """Make keys, tables and staff inside the installation that the environment names.

    Prints a line when the tables are there.
    """
    from django.core.management import call_command
    from django.db.models.signals import post_migrate

    post_migrate.connect(_tell, weak=False)
    call_command("setup", verbosity=0)
    _staff()


def fill() -> None:
    """Make data and models, once a line of standard input says that the tables are there.

    Until then it imports and draws what needs no tables: that is most of the work.
    """
    for name in _LATER:
        import_module(name)
    rows = [_rows(lane) for lane in range(LANES)]
    assert sys.stdin.readline(), "there will be no tables"
    for lane, those in enumerate(rows):
        _lane(lane, those)


def _tell(**_: object) -> None:
    from django.db.models.signals import post_migrate

    post_migrate.disconnect(_tell)
    print("the tables are there", flush=True)


def _staff() -> None:
    from django.contrib.auth.models import User

    from audits.services.rights import give_role, make_roles

    make_roles()
    for name, roles in STAFF.items():
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        for role in roles:
            give_role(user=user, role=role)


def _lane(lane: int, rows: list[Row]) -> None:
    from django.core.management import call_command
    from django.utils import timezone
    from pyroaring import BitMap

    from lineage.services import jobs
    from lineage.services.importing import ensure_dataset, import_records
    from lineage.services.snapshots import take_snapshot

    name = f"lane{lane}"
    now = timezone.now()
    import_records(dataset_name=name, rows=rows, now=now)
    trained = BitMap(range(PEOPLE * RECORDS))
    snapshot = take_snapshot(dataset=ensure_dataset(name=name), ordinals=trained, now=now)
    job = jobs.create_job(
        key=f"train:{name}",
        kind="TRAIN",
        queue="heavy",
        payload_id=uuid.uuid5(snapshot.pk, name),
        parameters={
            "model_name": name,
            "recipe": RECIPE,
            "recipe_parameters": PARAMETERS,
            "snapshot": str(snapshot.pk),
            "base": None,
            "seed": 3,
        },
        now=now,
    )
    jobs.claim_job(job_id=job.pk, now=now, lease=timedelta(seconds=600))
    call_command("run_job", str(job.pk))


def _rows(lane: int) -> list[Row]:
    from lineage.services.importing import Row
    from unlearning.recipes.digits import digit_records

    owners = [number for number in range(PEOPLE + STRANGERS) for _ in range(RECORDS)]
    digits = list(digit_records())[lane * len(owners) :]
    return [
        Row(
            line=place + 2,
            key=f"{lane}-{place}",
            subject=person(lane, owner),
            content=content,
            target=target,
            media_type="image/png",
        )
        for place, (owner, (content, target)) in enumerate(zip(owners, digits, strict=False))
    ]


if __name__ == "__main__":
    import django

    django.setup()
    {"set-up": set_up, "fill": fill}[sys.argv[1]]()
