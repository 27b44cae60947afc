"""What happens at the photographed site, so that every page has something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.utils import timezone

from audits.models import ErasureRequest, LegalHold, Publication, Recipient
from audits.services import deployments, log
from audits.services.rights import give_role
from audits.workflow.policy_actions import propose_policy
from config.demo import models
from config.journey import asking
from config.journey.erasing import register_table
from config.journey.pages import Desk
from config.journey.scene import files
from lineage.models import Backup, Dataset, LabelConflict, ModelVersion, OrdinalSpace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from config.journey.scene import Scene

S = ErasureRequest.Status
# A site that lasts for minutes and answers this machine alone.
PASSWORD = "made up for some minutes"
HEAD = "ines"
CREW = {
    "claire": ("Intake", "Case officer"),
    "bruno": ("Reviewer",),
    "mei": ("Model operator",),
    "odile": ("Auditor",),
}
BASIS = "A claim for damages of a customer is before the court, and these records are its proof."


@dataclass(frozen=True, kw_only=True)
class Told:
    """Ids of cases by what they show, links of their people, and where the planner's answer is."""

    cases: dict[str, str]
    links: dict[str, str]
    preview: str


def play(scene: Scene, say: Callable[[str], None]) -> Told:
    """Let people ask and staff answer, until every kind of case is there."""
    _hire()
    cases = {"sealed": ErasureRequest.objects.get(status=S.SEALED, outcome="ERASED")}
    say("an answer is overdue, one person is new, one took their request back")
    asking.received_on_31_january(scene)
    cases["overdue"] = ErasureRequest.objects.get(due_on=asking.DUE)
    cases["fresh"] = scene.asked(scene.person(7))
    asking.withdrawn_by(scene, scene.person(9))
    say("a proposal waits, a request is refused")
    cases["proposed"] = scene.asked(scene.person(13))
    scene.propose(cases["proposed"])
    cases["refused"] = scene.refused(scene.person(21))
    _registers(timezone.now())
    say("a case is carried out, and a recipient is told")
    cases["told"] = scene.reaches(scene.accepted(scene.person(17)), S.SEALED)
    say("a register cannot be read: a case stops")
    cases["stopped"] = _stopped(scene)
    say("the operator starts a case, and asks the planner")
    cases["operator"] = _own_case(scene)
    _policy()
    preview = _asked_planner(scene)
    links = _links(scene)
    log.checkpoint(now=timezone.now())
    ids = {name: str(case.pk) for name, case in cases.items()}
    return Told(cases=ids, links=links, preview=preview)


def _hire() -> None:
    User.objects.create_superuser(HEAD, password=PASSWORD)
    for name, roles in CREW.items():
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        for role in roles:
            give_role(user=user, role=role)


def _registers(now: datetime) -> None:
    active = ModelVersion.objects.filter(kind="MODEL", state="ACTIVE")
    dataset = Dataset.objects.get(name=models.DATASET)
    lab = Recipient.objects.create(name="Reading lab", contact="lab@example.org")
    lab.versions.add(*active)
    Publication.objects.create(
        where="HUB", address="hub.example/digits", steps="We write to the hub."
    ).datasets.add(dataset)
    deployments.register(version=active[0], place="shop", kind="HUB", user=None, now=now)
    Backup.objects.create(
        name="nightly", covers="database", made_at=now, expires_at=now + timedelta(days=9)
    )
    apart = OrdinalSpace.objects.create(name="contracts")  # the others must not be held
    LegalHold.objects.create(
        dataset=Dataset.objects.create(name="contracts", space=apart),
        kind="DATASET",
        basis=BASIS,
        placed_by=User.objects.get(username=HEAD),
        placed_at=now,
        review_on=(now + timedelta(days=90)).date(),
    )
    LabelConflict.objects.create(
        space=dataset.space, ordinal=0, other_ordinal=1, distance=0.0, state="HELD", found_at=now
    )


def _stopped(scene: Scene) -> ErasureRequest:
    path = files() / "newsletter.csv"
    path.write_text("half of a file")
    register_table(scene, "newsletter", str(path))
    stopped = scene.reaches(scene.accepted(scene.person(11)), S.FAILED)
    path.write_text("email,city\nsomebody@example.org,Lyon\n")
    return stopped


def go_on(scene: Scene, told: Told) -> None:
    """Put right what stopped a case: the ones after it wait for the same versions."""
    path = f"/cases/{told.cases['stopped']}/"
    scene.desks["operator"].post(f"{path}retry/", {}, at=path)
    scene.reaches(ErasureRequest.objects.get(pk=told.cases["stopped"]), S.SEALED)


def _own_case(scene: Scene) -> ErasureRequest:
    known = set(ErasureRequest.objects.values_list("pk", flat=True))
    version = ModelVersion.objects.get(model_name=models.BASE, state="ACTIVE", kind="MODEL")
    scene.desks["operator"].post(
        "/cases/new/",
        {
            "reason": "MISLABELLED",
            "disposal": "KEEP",
            "version": str(version.pk),
            "records": "40, 43-47",
        },
    )
    case = ErasureRequest.objects.exclude(pk__in=known).get()
    scene.until(lambda: "Propose this set" in _page(scene, case), "the records to be found")
    return case


def _page(scene: Scene, case: ErasureRequest) -> str:
    return scene.desks["operator"].get(f"/cases/{case.pk}/forget-set/").source


def _policy() -> None:
    propose_policy(
        said={"MARGIN_RECORD": "0.08"},
        reason="A stricter bound for models that are served.",
        user=User.objects.get(username="keeper"),
    )


def _asked_planner(scene: Scene) -> str:
    """Ask, as whoever looks at every page, what would be done; return the address."""
    head = Desk(scene.site, name=HEAD, password=PASSWORD)
    version = ModelVersion.objects.get(model_name=models.BASE, state="ACTIVE", kind="MODEL")
    shown = head.post(f"/versions/{version.pk}/what-if/", {"by": "NUMBER", "which": "12"})
    scene.until(lambda: head.get(shown.path).says("Every way, weighed"), "the planner's answer")
    return shown.path


def _links(scene: Scene) -> dict[str, str]:
    """The links of the letters of somebody who has just asked, and of somebody who was told."""
    email = scene.person(23)
    scene.send_form(email)
    links = {
        "confirm": scene.mailbox.find(email, r"http\S+/erasure/confirm/\S+/"),
        "status: asked": scene.mailbox.find(email, r"http\S+/erasure/status/\S+/"),
        "status: erased": scene.mailbox.find(scene.person(17), r"http\S+/erasure/status/\S+/"),
        "status: refused": scene.mailbox.find(scene.person(21), r"http\S+/erasure/status/\S+/"),
        "told": scene.mailbox.find("lab@example.org", r"http\S+/told/\S+/"),
    }
    used = scene.mailbox.find(scene.person(7), r"http\S+/erasure/confirm/\S+/")
    return {**links, "used": used}
