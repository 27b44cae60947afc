"""A case with everything that a case can have, as large as asked for."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from pyroaring import BitMap

from audits.models import (
    ErasureRequest,
    LegalHold,
    LocationException,
    LocationResult,
    LogHead,
    Publication,
    Recipient,
)
from audits.queries.forget_sets import forget_set, listed
from audits.services import (
    case_runs,
    closing,
    deployments,
    evidence,
    letters,
    log,
    operator_cases,
    planning,
    verdicts,
)
from audits.services.operator_cases import NewCase
from lineage import keys
from lineage.core.identifiers import lookup_digest
from lineage.models import DataRecord, Dataset, Location, ModelVersion, OrdinalSpace
from lineage.services.subjects import register_subject
from tests.audits.views import worlds
from tests.audits.world import accept_now, member
from unlearning.services import runs

LETTERS = ("ACKNOWLEDGEMENT", "ANSWER_ERASED")
SENTENCE = "Nobody can tell any more that the model learned your two records."


def full_case(size, name="full"):
    """A case at work with as many versions, places and people to tell as ``size``."""
    now = timezone.now()
    case, space, forget = _restricted(f"{name}@example.org")
    data, _ = Dataset.objects.get_or_create(name="photos", space=space)
    targets = [worlds.version(f"{name}-{number}") for number in range(size)]
    _plan(case, space, forget, targets)
    for run in case.runs.select_related("target"):
        _judged(run)
    decision = case.decisions.get()
    for number, target in enumerate(targets):
        _told(target, f"{name} {number}", data, now)
        _place(case, f"{name}-{number}", now)
        LocationException.objects.create(
            decision=decision, place=f"archive {number}", code="ART_17_3_B", until=now.date()
        )
    for code in LETTERS[:size]:
        letters.send_letter(request=case, code=code, now=now, context={})
    case.refresh_from_db()
    return case


def sealed(case):
    """The same, at its end."""
    closing.mark_erased(case_id=case.pk, now=timezone.now())
    return worlds.sealed(case)


def spoken():
    """What an audit found, with the sentence for the person."""
    found = worlds.u_lira()
    found.payload["for_the_person"] = SENTENCE
    return found


def check_noted():
    """The log was checked and found whole, and that was noted in it."""
    size = LogHead.objects.get().size
    counts = {"events": size, "checkpoints": 1, "records": 1}
    log.append(type="log_checked", case=None, now=timezone.now(), data=counts)


def hold_on(email):
    """A legal hold on somebody else, whom lineage knows."""
    secret = keys.get_or_create("lookup")
    register_subject(identifiers={"EMAIL": email}, now=timezone.now())
    LegalHold.objects.create(
        kind="EMAIL",
        digest=lookup_digest(secret, "EMAIL", email),
        basis="A court asked to keep what there is.",
        placed_at=timezone.now(),
        review_on=date(2099, 1, 1),
    )


def operator_case():
    """A case that nobody asked for."""
    worlds.person()
    new = NewCase(
        reason="EXPIRED_CONSENT",
        disposal="KEEP",
        space=OrdinalSpace.objects.get(),
        version=None,
        seeds=worlds.FORGET,
    )
    user = member("ann", "Case officer")
    return operator_cases.open_case(new=new, user=user, now=timezone.now()).request


def _restricted(email):
    """A case of somebody with two records of their own, which are set aside."""
    now = timezone.now()
    space, _ = OrdinalSpace.objects.get_or_create(name="photos", defaults={"next_ordinal": 10})
    first = space.records.count()
    subject = register_subject(identifiers={"EMAIL": email}, now=now)
    forget = BitMap([first, first + 1])
    for ordinal in forget:
        DataRecord.objects.create(space=space, ordinal=ordinal, subject=subject, generated_at=now)
    for other in ErasureRequest.objects.all():  # one token of a status page serves one case
        ErasureRequest.objects.filter(pk=other.pk).update(status_digest=str(other.pk))
    case = worlds.verified(email)
    accept_now(case.pk, now=now)
    planning.restrict_records(case_id=case.pk, now=now)
    case.refresh_from_db()
    return case, space, forget


def _plan(case, space, forget, targets):
    affected = [
        {
            "version": str(one.pk),
            "name": str(one),
            "influence": "DIRECT",
            "forget_count": 2,
            "path": [
                {"source": "photos@0", "role": "TRAINING", "influence": "DIRECT"},
                {"source": "base v1", "role": "BASE_MODEL", "influence": "STRONG"},
            ],
        }
        for one in targets
    ]
    plan = {
        "spaces": listed(forget_set(case.pk)),
        "affected": affected,
        "not_affected": [str(worlds.version("weather", ModelVersion.objects.count()).pk)],
        "unknown": [str(worlds.version("bought", ModelVersion.objects.count()).pk)],
    }
    planned = [
        case_runs.PlannedRun(
            version=one,
            space=space,
            forget=forget,
            method="scrub",
            hyperparameters={},
            seed=1,
            waiting=False,
        )
        for one in targets
    ]
    ErasureRequest.objects.filter(pk=case.pk).update(policy=worlds.POLICY.as_dict())
    planning.keep_plan(case_id=case.pk, plan=plan, runs=planned, now=timezone.now())
    ErasureRequest.objects.filter(pk=case.pk).update(status="UNLEARNING")
    case.refresh_from_db()


def _judged(run):
    now = timezone.now()
    runs.start_run(run_id=run.pk)
    runs.finish_run(
        run_id=run.pk,
        unlearned=worlds.version(run.target.model_name, 2),
        guarantee="APPROXIMATE",
        report={},
        seconds=1.5,
        now=now,
    )
    evidence.fix_audit(run_id=run.pk, now=now)
    found = (worlds.u_lira(), worlds.population())
    verdicts.conclude(run_id=run.pk, findings=found, now=now)


def _told(target, name, data, now):
    lab = Recipient.objects.create(name=f"Lab {name}", contact="lab@example.org")
    lab.versions.add(target)
    hub = Publication.objects.create(where="HUB", address=f"hub.example/{name}", steps="We do.")
    hub.datasets.add(data)
    deployments.register(version=target, place=f"shop {name}", kind="HUB", user=None, now=now)


def _place(case, name, now):
    place = Location.objects.create(
        slug=f"accounts-{name}", kind="sql_table", purpose="support", created_at=now
    )
    LocationResult.objects.create(
        case=case, location=place, result="DELETED", found=2, erased_at=now, verified_at=now
    )
