"""The pages of the URL map, with what the installation has to show on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import reverse

from audits.models import (
    Decision,
    Evidence,
    LegalHold,
    Letter,
    Notice,
    PolicyChange,
    Publication,
    Recipient,
)
from audits.queries.register_tables import REGISTERS
from benchmarks.staff_pages import staff_pages
from lineage.models import (
    Backup,
    Dataset,
    Deployment,
    LabelConflict,
    Location,
    ModelVersion,
)
from tests.screenshots.camera import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.screenshots.stories import Told

# Which kind of case a page is about; all others are about the one that was sealed first.
ABOUT = {
    "fresh": "accept refuse identity ask_more unidentified mandate restrict extend keep_longer",
    "proposed": "approve_decision return_decision",
    "operator": "forget_set approve_forget_set return_forget_set drop_case",
    "told": "notice_text told_not_possible told_done except_version letter_preview",
}
FILES = (".json", ".svg", ".csv", ".pdf", ".zip", ".txt", ".tlog-proof", ".png", "/progress/")


def addresses(told: Told) -> list[Address]:
    """Return every page of staff, those of cases in every state among them."""
    found = [Address(name=f"case: {name}", path=f"/cases/{id_}/") for name, id_ in _shown(told)]
    for page, wanted in staff_pages():
        name = page.partition(":")[2]
        for ids in _ids(name, wanted, told):
            path = reverse(page, kwargs=ids)
            if not path.endswith(FILES) and name != "processing_file":
                asked = "?code=ACKNOWLEDGEMENT" if name == "letter_preview" else ""
                found.append(Address(name=name.replace("_", " "), path=path + asked))
    version = ModelVersion.objects.filter(kind="MODEL").earliest("generated_at")
    found += [
        Address(name="what if answer", path=told.preview),
        Address(name="lineage of a version", path=f"/models/graph/?version={version.pk}"),
        Address(name="cases overdue", path="/cases/?show=overdue"),
    ]
    return found


def _shown(told: Told) -> list[tuple[str, str]]:
    return [(name, id_) for name, id_ in told.cases.items() if name != "sealed"]


def _ids(name: str, wanted: list[str], told: Told) -> Iterator[dict[str, Any]]:
    """Yield what an address is made with; nothing where the installation has no such thing."""
    kind = next((kind for kind, names in ABOUT.items() if name in names.split()), "sealed")
    known = _known(told, kind)
    own = _own(name)
    if all(known.get(key) is not None or own.get(key) is not None for key in wanted):
        yield {key: own.get(key, known.get(key)) for key in wanted}


def _known(told: Told, kind: str) -> dict[str, Any]:
    case, sealed = UUID(told.cases[kind]), UUID(told.cases["sealed"])
    run = ModelVersion.objects.filter(kind="MODEL", unlearned_by__requests=sealed)
    evidence = Evidence.objects.filter(run__requests=sealed).order_by("-kind")
    active = ModelVersion.objects.filter(kind="MODEL", state="ACTIVE").earliest("generated_at")
    notice = Notice.objects.filter(request_id=UUID(told.cases["told"])).first()
    unlearned = run.first()
    return {
        "case_id": case,
        "decision_id": _pk(Decision.objects.filter(state="PROPOSED", request_id=case)),
        "run_id": unlearned.unlearned_by.pk if unlearned else None,
        "evidence_id": _pk(evidence),
        "version_id": active.pk,
        "letter_id": _pk(Letter.objects.filter(request_id=case)),
        "addressee_id": notice.addressee.pk if notice else None,
        "notice_id": notice.pk if notice else None,
        "hold_id": _pk(LegalHold.objects.all()),
        "conflict_id": _pk(LabelConflict.objects.filter(state="HELD")),
        "deployment_id": _pk(Deployment.objects.all()),
        "backup_id": _pk(Backup.objects.all()),
        "slug": Location.objects.values_list("slug", flat=True).first(),
        "number": PolicyChange.objects.values_list("number", flat=True).first(),
        "index": 3,
        "locale": "en",
        "code": "ANSWER_ERASED",
        "kind": "sql_table",
        "section": "evidence",
    }


def _own(name: str) -> dict[str, Any]:
    return {
        "recipient": {"entry_id": _pk(Recipient.objects.all())},
        "publication": {"entry_id": _pk(Publication.objects.all())},
        "register": {"name": next(iter(REGISTERS))},
        "describe_processing": {
            "kind": "dataset",
            "target_id": _pk(Dataset.objects.order_by("pk")),
        },
    }.get(name, {})


def _pk(found: Any) -> Any:  # noqa: ANN401  (a query, and the key of what it finds)
    return found.values_list("pk", flat=True).first()
