"""What the API is asked about in tests: data, a model, a case with evidence, and keys."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from audits.models import Evidence
from audits.services import webhook_outbox, webhooks
from lineage.models import OrdinalSpace
from lineage.queries.subjects import find_subject
from lineage.services.api_keys import ACTS, SCOPES, create_key
from lineage.services.runs import Input
from tests.audits import sealed_cases
from tests.audits.bare_cases import member
from tests.lineage.builders import filled, snapshot, trained

if TYPE_CHECKING:
    from audits.models import ErasureRequest
    from lineage.models import DatasetSnapshot, ModelVersion

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = "person0@example.org"


def secret(*scopes: str, name: str = "program", **more: Any) -> str:  # noqa: ANN401  (a user)
    """A key with these scopes, acting for an officer where it acts on cases."""
    if ACTS in scopes:
        more.setdefault("acts_for", member("officer", "Case officer"))
    return create_key(name=name, scopes=scopes, now=timezone.now(), lifetime=None, **more).secret


def bearer(value: str, **more: str) -> dict[str, str]:
    """The headers of a call with a key; underscores stand for hyphens."""
    extra = {name.replace("_", "-"): said for name, said in more.items()}
    return {"authorization": f"Bearer {value}", **extra}


@dataclass(kw_only=True)
class ApiWorld:
    """A data set of nine records of three people, two versions, a case that is sealed."""

    data: DatasetSnapshot
    version: ModelVersion
    child: ModelVersion
    case: ErasureRequest
    key: str = ""
    known: dict[str, str] = field(default_factory=dict)


def small_world() -> ApiWorld:
    """Make the world without a case."""
    taken = snapshot(filled("photos", 9, NOON), NOON)
    version = trained("base", NOON, Input(source=taken), capture_level="SNAPSHOT")
    child = trained("tuned", NOON, Input(source=version, role="BASE_MODEL"))
    return ApiWorld(data=taken, version=version, child=child, case=None)  # type: ignore[arg-type]


def whole_world() -> ApiWorld:
    """Make the world, and a key that may do everything."""
    case = sealed_cases.erased_case()  # which leaves nobody known whom it erased
    world = small_world()
    world.case = case
    world.key = secret(*SCOPES)
    space = OrdinalSpace.objects.get(name="photos")
    subject = find_subject("EMAIL", ANNA)
    hook = webhooks.add_webhook(
        name="desk", url="https://desk.example/", kinds=["case.sealed"], now=NOON
    ).webhook
    message = webhook_outbox.test(webhook_id=hook.pk, user=None, now=NOON)
    evidence = Evidence.objects.filter(run__requests=world.case).first()
    assert subject
    assert evidence
    world.known = {
        "reference": world.case.reference,
        "version_id": str(world.child.pk),
        "snapshot_id": str(world.data.pk),
        "run_id": str(world.version.generated_by_id),
        "subject": str(subject.pseudonym),
        "record": f"{space.public_id}:0",
        "evidence_id": str(evidence.pk),
        "webhook_id": str(hook.pk),
        "message_id": str(message.pk),
        "name": "photos",
        "index": "3",
        "older": "1",
    }
    return world


def get(client, key, address):
    return client.get(f"/api/v1/{address}", headers=bearer(key))


def post(client, key, address, content):
    return client.post(
        f"/api/v1/{address}",
        json.dumps(content),
        content_type="application/json",
        headers=bearer(key, idempotency_key=str(uuid.uuid4())),
    )
