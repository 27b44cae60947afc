"""The rows of a case by their kinds, made honestly and written in bulk. Import it after Django.

What a service derives is derived by the same code: sealed texts, letters, digests of bitmaps.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audits.core import sealing
from audits.core.letter_rules import PLACEHOLDERS
from audits.models import DuplicateFinding, ErasureRequest, Letter
from audits.queries.letter_texts import current_text
from audits.services.letter_writing import filled_in
from benchmarks.crowd_log import Entry
from lineage.core.bitmaps import digest, encode
from lineage.models import Job, LineagePurge, Restriction

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import Model

    from benchmarks.crowd_lineage import Person

AT_ONCE = 2_000


@dataclass(kw_only=True)
class Rows:
    """Rows to be written, in the order in which their kinds were first added, and events."""

    rows: dict[type[Model], list[Model]] = field(default_factory=lambda: defaultdict(list))
    entries: list[Entry] = field(default_factory=list)

    def add(self, *rows: Model) -> None:
        """Keep rows for later."""
        for row in rows:
            self.rows[type(row)].append(row)

    def log(self, event: str, at: datetime, case: ErasureRequest, /, **data: object) -> None:
        """Keep an event about a case."""
        self.entries.append(Entry(type=event, at=at, case=case.pk, data=data))

    @transaction.atomic
    def write(self) -> None:
        """Write the rows; the events wait for ``crowd_log.write_leaves``."""
        for model, rows in self.rows.items():
            model._base_manager.bulk_create(rows, batch_size=AT_ONCE)  # noqa: SLF001  (of any model)
        self.rows.clear()


def job(kind: str, queue: str, about: UUID, at: datetime, status: str = "SUCCEEDED") -> Job:
    """Return a job about a case or a run; one that has begun has ended, or waits."""
    over = status not in ("QUEUED", "RUNNING")
    return Job(
        key=f"{kind.lower()}:{about}",
        kind=kind,
        queue=queue,
        payload_id=about,
        status=status,
        attempt=int(status != "QUEUED"),
        created_at=at,
        started_at=at if over else None,
        ended_at=at if over else None,
        error_code="STORE_FULL" if status == "FAILED" else "",
    )


def add_restriction(rows: Rows, case: ErasureRequest, person: Person, at: datetime) -> None:
    """Keep that the records of a person were restricted, searched for and planned about."""
    space, ordinals = person.space, person.ordinals
    rows.add(Restriction(space=space, case_id=case.pk, bitmap=encode(ordinals), started_at=at))
    rows.log(
        "records_restricted",
        at,
        case,
        space=space.public_id,
        records=len(ordinals),
        digest=digest(ordinals),
    )
    rows.add(*(job(kind, "light", case.pk, at) for kind in ("SEARCH", "PLAN")))


def add_duplicates(rows: Rows, case: ErasureRequest, person: Person) -> None:
    """Keep that three records are nearly alike to some of a person, which nobody decided yet."""
    rows.add(
        *(
            DuplicateFinding(
                request=case,
                space=person.space,
                forget_ordinal=person.first + place,
                other_ordinal=place,
                kind="NEAR",
                distance=0.03,
            )
            for place in range(3)
        )
    )


def add_erasure(rows: Rows, case: ErasureRequest, person: Person, at: datetime) -> None:
    """Keep that the records of a person were erased."""
    space, ordinals = person.space, person.ordinals
    rows.add(LineagePurge(space=space, case_id=case.pk, bitmap=encode(ordinals), purged_at=at))
    rows.add(job("ERASE", "light", case.pk, at))
    counts = {"records": len(ordinals), "remaining": 0}
    rows.log("records_erased", at, case, space=space.public_id, **counts)
    rows.log("case_erased", at, case)


def add_letter(
    rows: Rows,
    case: ErasureRequest,
    code: str,
    at: datetime,
    secret: bytes | None,
    *,
    failed: bool,
) -> None:
    """Keep a letter, sealed where the case still has its key, that was sent or could not be."""
    letter = Letter(
        request=case,
        code=code,
        state="FAILED" if failed else "SENT",
        created_at=at,
        sent_at=None if failed else at,
        attempts=1,
        error="SMTPServerDisconnected" if failed else "",
    )
    text = _written(code).replace("REFERENCE", case.reference).encode()
    letter.digest = hashlib.sha256(text).hexdigest()
    if secret:
        name = f"letter:{letter.pk}"
        letter.content = sealing.seal(secret, case=str(case.pk), field=name, content=text)
    rows.add(letter)
    if not failed:
        rows.log("letter_sent", at, case, letter=code, digest=letter.digest)


@cache
def _written(code: str) -> str:
    """Return the JSON of a letter about the case REFERENCE, as ``letter_contents`` keeps it."""
    values = {**PLACEHOLDERS, "reference": "REFERENCE"}
    return json.dumps(asdict(filled_in(current_text(code, "en", timezone.now()), values)))
