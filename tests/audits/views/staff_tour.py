"""Every page of staff that is reachable by GET, as the site answers it, without a browser."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audits.models import (
    Decision,
    DuplicateFinding,
    ErasureRequest,
    LegalHold,
    LocationException,
    Notice,
    PlanPreview,
    Publication,
    Recipient,
    Release,
    VersionException,
)
from audits.queries.register_tables import REGISTERS
from audits.services import deployments, letters, log, operator_cases, webhook_outbox, webhooks
from audits.services.operator_cases import NewCase
from benchmarks.staff_pages import staff_pages
from lineage.models import (
    Backup,
    Dataset,
    Job,
    LabelConflict,
    Location,
    ModelVersion,
    OrdinalSpace,
)
from lineage.services.jobs import create_job
from tests.audits.views import worlds
from tests.audits.world import member, queued_run, verified_case
from tests.audits.world import person as somebody

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REASON = "The register of the association must stay readable for the court."


def addresses() -> Iterator[str]:
    """The address of every page of the apps, with ids of what is seeded, by the page that it is.

    A page whose id is not in ``kept`` of ``_seeded`` fails here: seed what it shows.
    """
    kept, own = _seeded()
    for address, wanted in staff_pages():
        name = address.partition(":")[2]
        ids = {**kept, **own.get(name, {})}
        asked = "?code=ACKNOWLEDGEMENT" if name == "letter_preview" else ""
        yield reverse(address, kwargs={key: ids[key] for key in wanted}) + asked


def every_page() -> Iterator[tuple[str, Any]]:
    """The answers to an administrator who has every role; what is only posted to is left out."""
    yield from _answers(["/cases/", "/evidence/", "/holds/", "/places/", "/deployments/"], "empty")
    yield from _answers(["/recipients/", "/publications/", "/data/", "/models/"], "empty")
    yield from _answers(
        ["/home/", "/queues/", "/log/", "/log/checkpoints/", "/webhooks/"], "empty"
    )
    yield from _answers(sorted(set(addresses())))
    failed = ErasureRequest.objects.get(status="FAILED")
    yield from _answers([reverse("audits:case", args=[failed.pk])], "failed")
    yield from wrong()


def wrong() -> Iterator[tuple[str, Any]]:
    """What the pages say of mistakes."""
    client = _client()
    for path in ("/places/new/sql_table/", "/recipients/new/", "/places/backups/new/"):
        yield f"{path}?wrong", client.post(path, {"retention_days": "x", "made": "soon"})
    yield "/cases/enter/?wrong", client.post("/cases/enter/", {})
    path = f"{_notice()}not-possible/"
    yield f"{path}?wrong", client.post(path, {"reason": "no"})
    text = client.get("/letters/en/ANSWER_REFUSED/").context["form"].initial
    yield "/letters/?wrong", client.post("/letters/en/ANSWER_REFUSED/", {"action": "publish"})
    asked = {f"block_{name}": words for name, words in _blocks(client).items()}
    asked |= {"subject": text["subject"], "action": "publish"}
    yield "/letters/?publish", client.post("/letters/en/ANSWER_REFUSED/", asked)
    yield "/404", client.get("/nothing/")
    auditor = Client()
    auditor.force_login(member("an auditor", "Auditor"))
    yield "/403", auditor.get("/holds/new/")
    yield "/login?wrong", Client().post("/accounts/login/", {"username": "ada"})


def _answers(paths: Iterable[str], note: str = "") -> Iterator[tuple[str, Any]]:
    client = _client()
    for path in paths:
        response = client.get(path)
        if response.status_code != 405:  # only posted to
            yield path + (f"?{note}" if note else ""), response


def _client() -> Client:
    client = Client()
    user = User.objects.filter(username="head").first()
    client.force_login(user or User.objects.create_superuser("head"))
    return client


def _notice() -> str:
    """Where staff say of somebody who is to be told of a case what came of it."""
    case, now = ErasureRequest.objects.earliest("received_at"), timezone.now()
    notice = Notice.objects.create(
        request=case,
        occasion="ERASED",
        recipient=Recipient.objects.create(name="Shop"),
        created_at=now,
        next_at=now,
    )
    return f"/cases/{case.pk}/told/{notice.pk}/"


def _blocks(client: Client) -> dict[str, str]:
    form = client.get("/letters/en/ANSWER_REFUSED/").context["form"]
    return {name: str(bound.value()) for name, bound in form.blocks()}


def _seeded() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return ids by name, and by page where a page needs others."""
    now = timezone.now()
    case, run = worlds.judged(worlds.u_lira(), worlds.population())
    evidence = run.evidence.get(kind="U_LIRA")
    kept = {
        "case_id": case.pk,
        "run_id": run.pk,
        "evidence_id": evidence.pk,
        "version_id": run.target_id,
        **_registers(now, run),
    }
    run.refresh_from_db()
    letters.send_letter(request=case, code="ACKNOWLEDGEMENT", now=now, context={})
    letter = case.letters.get()
    own = {**_decided(now), **_stuck(now, case, run), **_started(now)}
    own["case_part"] = {"name": "versions"}
    own["case_picture"] = {"name": "timeline"}
    own["publication"] = {"entry_id": Publication.objects.get().pk}
    own["describe_processing"] = {"kind": "dataset", "target_id": Dataset.objects.get().pk}
    own["propose_policy"] = {"section": "evidence"}
    own |= {name: {"name": next(iter(REGISTERS))} for name in ("register", "register_file")}
    signed = log.checkpoint(now=now)
    kept |= {"index": 0, "size": signed.size, "queue": "heavy"}
    _client()
    kept |= _told(now)
    asked = PlanPreview.objects.create(
        version_id=run.target_id,
        asked_by=User.objects.get(username="head"),
        by=PlanPreview.By.NUMBER,
        records=1,
        created_at=now,
    )
    kept["preview_id"] = asked.pk
    train = create_job(key="tour", kind="TRAIN", queue="heavy", payload_id=asked.pk, now=now)
    kept["job_id"] = train.pk
    return {**kept, "number": 1, "letter_id": letter.pk, "notice_id": letter.pk, "token": ""}, own


def _registers(now, run) -> dict[str, Any]:
    dataset = Dataset.objects.create(name="photos", space=run.space)
    lab = Recipient.objects.create(name="Lab", contact="lab@example.org")
    lab.versions.add(run.target)
    hub = Publication.objects.create(where="HUB", address="hub.example/faces", steps="We write.")
    hub.datasets.add(dataset)
    Location.objects.create(slug="accounts", kind="sql_table", purpose="support", created_at=now)
    backup = Backup.objects.create(
        name="nightly", covers="database", made_at=now, expires_at=now + timedelta(days=9)
    )
    hold = LegalHold.objects.create(
        dataset=dataset, kind="DATASET", basis=REASON, placed_at=now, review_on=date(2099, 1, 1)
    )
    conflict = LabelConflict.objects.create(
        space=run.space, ordinal=0, other_ordinal=1, distance=0.0, state="HELD", found_at=now
    )
    shop = deployments.register(version=run.target, place="shop", kind="HUB", user=None, now=now)
    return {
        "entry_id": lab.pk,
        "addressee_id": lab.pk,
        "job_id": lab.pk,
        "form": "csv",
        "edition": "person",
        "language": "en",
        "backup_id": backup.pk,
        "hold_id": hold.pk,
        "conflict_id": conflict.pk,
        "deployment_id": shop.pk,
        "slug": "accounts",
        "kind": "sql_table",
        "locale": "de",
        "code": "ANSWER_ERASED",
        "name": "dose",
    }


def _told(now) -> dict[str, Any]:
    """A webhook with a message that was given up."""
    made = webhooks.add_webhook(
        name="tickets", url="https://tickets.example/", kinds=["case.sealed"], now=now
    )
    message = webhook_outbox.test(webhook_id=made.webhook.pk, user=None, now=now)
    message.state, message.error, message.next_at = "FAILED", "ConnectError", None
    message.index = 0
    message.save()
    return {"webhook_id": made.webhook.pk, "delivery_id": message.pk}


def _decided(now) -> dict[str, dict[str, Any]]:
    """A case with a proposal, one that is not decided, one whose exception has ended."""
    fresh, proposed, ended = (
        verified_case(f"{name}@example.org") for name in ("eve", "ida", "una")
    )
    proposal = Decision.objects.create(
        request=proposed, kind="REFUSE", refusal_code="ART_17_3_E", proposed_at=now
    )
    decision = Decision.objects.create(
        request=ended, kind="ACCEPT", state="APPROVED", proposed_at=now
    )
    exception = LocationException.objects.create(
        decision=decision, place="archive", code="ART_17_3_B", until=now.date(), ended_at=now
    )
    names = "accept refuse identity ask_more unidentified mandate objection restrict extend"
    chosen = {"case_id": proposed.pk, "decision_id": proposal.pk}
    return {
        **{name: {"case_id": fresh.pk} for name in names.split()},
        "approve_decision": chosen,
        "return_decision": chosen,
        "erase_excepted": {"case_id": ended.pk, "exception_id": exception.pk},
    }


def _stuck(now, case, run) -> dict[str, dict[str, Any]]:
    """Versions that wait for staff, whose case failed, that got worse, that stay; a duplicate."""
    waits = verified_case("pia@example.org")
    stuck = queued_run(waits, waiting=True)
    failed = verified_case("zoe@example.org")
    unmade = queued_run(failed)
    job = create_job(key="unmade", kind="UNLEARN", queue="heavy", payload_id=unmade.pk, now=now)
    Job.objects.filter(pk=job.pk).update(status="FAILED", error_code="CHILD_DIED", ended_at=now)
    ErasureRequest.objects.filter(pk=failed.pk).update(
        status="FAILED", failure_code="CHILD_DIED", failed_from="UNLEARNING"
    )
    Release.objects.create(run=run, state="HELD", reason="It got worse.", created_at=now)
    ModelVersion.objects.filter(pk=run.unlearned_id).update(state="CANDIDATE")
    found = VersionException.objects.create(
        request=case,
        version=run.target,
        code="ART_17_3_E",
        reason=REASON,
        until=now.date(),
        proposed_at=now,
    )
    twin = DuplicateFinding.objects.create(
        request=case,
        space=run.space,
        forget_ordinal=0,
        other_ordinal=7,
        kind="NEAR",
        distance=0.03,
    )
    at = {"case_id": waits.pk, "run_id": stuck.pk}
    other = {"exception_id": found.pk}
    return {
        **dict.fromkeys(("destroy", "outside"), at),
        "take_over": {"case_id": failed.pk, "run_id": unmade.pk},
        **dict.fromkeys(("approve_exception", "drop_exception"), other),
        "duplicate": {"finding_id": twin.pk},
    }


def _started(now) -> dict[str, dict[str, Any]]:
    """The operator's own case."""
    somebody("kim@example.org", records=4)
    space = OrdinalSpace.objects.latest("pk")
    new = NewCase(
        reason="EXPIRED_CONSENT", disposal="KEEP", space=space, version=None, seeds=worlds.FORGET
    )
    case = operator_cases.open_case(new=new, user=member("ann", "Case officer"), now=now)
    names = ("forget_set", "drop_case", "approve_forget_set", "return_forget_set")
    return {name: {"case_id": case.request_id} for name in names}
