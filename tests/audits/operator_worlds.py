"""A world in which somebody called ones twos, and the operator's case about it."""

from __future__ import annotations

from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.models import ErasureRequest
from audits.services.operator_cases import NewCase
from lineage.models import OrdinalSpace
from lineage.services.importing import Row, ensure_dataset, import_records
from lineage.services.snapshots import take_snapshot
from tests.audits.world import member
from unlearning.recipes.digits import digit_records

BAD = BitMap(range(12))
SPOILT = {"hidden": 16, "epochs": 10, "targets": ["0", "1", "2"]}
RIDGE = {
    "recipe": "unlearning.recipes.counted:DigitsRidge",
    "recipe_parameters": {"targets": ["0", "1", "2"]},
}


def spoilt():
    """Import 160 digits of nobody, the first twelve of which are ones that are called twos."""
    digits = [one for one in digit_records() if one[1] in "012"]
    ones = [one for one in digits if one[1] == "1"][: len(BAD)]
    others = [one for one in digits if one not in ones][: 160 - len(BAD)]
    rows = [
        Row(
            line=place + 2,
            key=str(place),
            subject=f"annotator{place % 5}@example.org",
            content=content,
            target="2" if place < len(BAD) else target,
            media_type="image/png",
        )
        for place, (content, target) in enumerate([*ones, *others])
    ]
    import_records(dataset_name="spoilt", rows=rows, now=timezone.now())
    dataset = ensure_dataset(name="spoilt")
    return take_snapshot(dataset=dataset, ordinals=BitMap(range(160)), now=timezone.now())


def staff(name):
    """One who may propose and approve, each in their turn."""
    return member(name, "Case officer", "Reviewer")


def new_case(space, version=None, seeds=None, *, reason="MISLABELLED", disposal="KEEP"):
    return NewCase(
        reason=reason,
        disposal=disposal,
        space=OrdinalSpace.objects.get(pk=space.pk),
        version=version,
        seeds=BitMap([0, 3, 7]) if seeds is None else BitMap(seeds),
    )


def opened(world, new, by="ann"):
    """Open a case and let the workers score its records."""
    case = world.do(workflow.open_case, new=new, user=staff(by))
    world.wake(case.request)
    world.work()
    case.refresh_from_db()
    return case


def approved(world, case, by="bea"):
    """Propose as the first, approve as the second member of staff, and let the workers go on."""
    from audits.queries.operator_cases import digest_of

    world.do(workflow.propose_forget_set, case_id=case.pk, user=staff("ann"))
    world.do(workflow.approve_forget_set, case_id=case.pk, digest=digest_of(case), user=staff(by))
    world.wake(case.request)
    return world.finish(ErasureRequest.objects.get(pk=case.pk))
