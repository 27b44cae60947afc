"""Write to the person. Sending never undoes what a case did.

``send_letter`` is what the rest of the software calls, outside a transaction: a letter that has
left cannot be rolled back. Whoever else is told gets a notice (``audits.services.notices``).
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core.commitment import commit
from audits.core.letter_layout import LetterIncomplete
from audits.core.letter_rules import RULES, SECRETS
from audits.models import ErasureRequest, Letter
from audits.queries.letter_routes import nobody_to_answer, on_paper
from audits.services import log
from audits.services.letter_contents import Written, seal_letter
from audits.services.letter_delivery import CLAIM, deliver, log_failed
from audits.services.letter_writing import write
from lineage import keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

__all__ = ["CLAIM", "LetterIncomplete", "send_letter"]
# Anybody can have these sent, so they print the newest checkpoint and make none of their own.
UNCONFIRMED = frozenset({"CONFIRM", "CONFIRM_REMINDER"})
State = Letter.State
logger = logging.getLogger("expunge.letters")


def send_letter(
    *, request: ErasureRequest, code: str, now: datetime, context: Mapping[str, Any] | None = None
) -> bool:
    """Write the letter called ``code`` once and send it; return whether it is sent.

    A letter that is ``repeatable`` in ``RULES`` is written again when what it asks for has
    changed. One that goes by post waits for staff to post it, and is sent once they did. A failure
    of the mail server is kept on the letter, which the sweep tries again; so is one to write it.
    ``context``: see ``letter_values``.

    Raises:
        ValueError: there is no such letter to the person.
    """
    rule = RULES.get(code)
    if rule is None or not rule.to_person:
        raise ValueError(f"code is {code!r}, which is no letter to the person.")
    if nobody_to_answer(request):
        return False
    return _send(request, code, now, context or {}).sent_at is not None


def _send(request: ErasureRequest, code: str, now: datetime, context: Mapping[str, Any]) -> Letter:
    letter = _letter_of(request, code, _asked(request, code, context), now)
    if letter.state in (State.WAITING, State.FAILED) and not letter.content:
        _write(letter, request, now, context)
        letter.refresh_from_db()
    deliver(letter=letter, now=now)
    letter.refresh_from_db()
    return letter


@transaction.atomic
def _letter_of(request: ErasureRequest, code: str, asked: str, now: datetime) -> Letter:
    """Return the letter of the case, or, of those that may be repeated, the one for this."""
    ErasureRequest.objects.select_for_update().get(pk=request.pk)
    written = Letter.objects.filter(request=request, code=code)
    known = written.filter(asked=asked).order_by("number").last()
    if known:
        return known
    count = written.count()
    return Letter.objects.create(
        request=request, code=code, number=count + 1, asked=asked, created_at=now
    )


def _asked(request: ErasureRequest, code: str, context: Mapping[str, Any]) -> str:
    """Return what tells one letter of this kind from another: a commitment to its content."""
    if not RULES[code].repeatable:
        return ""
    told = {name: str(value) for name, value in context.items() if name not in SECRETS}
    told["to"] = ""  # as earlier releases wrote it, so that nothing is sent again
    try:
        return commit(keys.get_or_create(f"case:{request.pk}"), {"asked": json.dumps(told)})
    except keys.KeyDestroyed:
        return ""


def _write(
    letter: Letter,
    request: ErasureRequest,
    now: datetime,
    context: Mapping[str, Any],
) -> None:
    if letter.code not in UNCONFIRMED:
        log.anchor(now=now)
    try:
        written, text = write(request=request, code=letter.code, now=now, context=context)
        content = seal_letter(request.pk, letter.pk, written)
    except (LetterIncomplete, keys.KeyDestroyed) as error:
        _not_written(letter, error, now)
        return
    _unwritten(letter).update(
        locale=text.locale,
        version=text.version,
        digest=_digest(written),
        content=content,
        state=State.TO_POST if on_paper(request, letter.code) else State.WAITING,
        error="",
        next_try_at=None,
    )


def _unwritten(letter: Letter) -> QuerySet[Letter]:
    """Return its row while nobody has written it: somebody else may have, and sent it since."""
    states = (State.WAITING, State.FAILED)
    return Letter.objects.filter(pk=letter.pk, state__in=states, content=b"", claimed_at=None)


def _not_written(letter: Letter, error: Exception, now: datetime) -> None:
    if letter.state == State.FAILED and letter.error == str(error):
        return
    logger.warning("letter %s of %s not written: %s", letter.code, letter.request, error)
    with transaction.atomic():
        if _unwritten(letter).update(state=State.FAILED, error=str(error)):
            log_failed(letter, type(error).__name__, letter.attempts, now)


def _digest(written: Written) -> str:
    return hashlib.sha256(written.body.encode()).hexdigest()
