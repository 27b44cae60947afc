"""Publish the operator's texts of letters; what was published stays as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.letter_checks import check_template
from audits.core.roles import Right
from audits.models import LetterTemplate, LogHead
from audits.queries.letter_texts import LetterText, builtin_text, versions_of
from audits.services import log, rights
from audits.services.actors import actor_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


def publish(
    *, text: LetterText, active_from: datetime | None, user: User, now: datetime
) -> LetterTemplate:
    """Publish a text as the next version of a letter, in use from now or from a later moment.

    Raises:
        NotAllowed: the right to change letters is missing.
        TemplateRejected: a mandatory block or placeholder is missing, or one is unknown.
    """
    rights.require(user, Right.ADMINISTER)
    blocks = {name: "\n".join(one.splitlines()).strip() for name, one in text.blocks.items()}
    kept = replace(text, subject=text.subject.strip(), blocks=blocks)
    check_template(code=kept.code, locale=kept.locale, subject=kept.subject, blocks=blocks)
    return _keep(kept, user, now, active_from or now)


def restore_builtin(*, code: str, locale: str, user: User, now: datetime) -> LetterTemplate:
    """Use the built-in text again, as a version of its own.

    Raises:
        NotAllowed: the right to change letters is missing.
    """
    rights.require(user, Right.ADMINISTER)
    return _keep(builtin_text(code, locale), user, now, now, builtin=True)


@transaction.atomic
def _keep(
    text: LetterText, user: User, now: datetime, active_from: datetime, *, builtin: bool = False
) -> LetterTemplate:
    LogHead.objects.select_for_update().get(pk=1)  # one at a time: the version counts
    last = versions_of(text.code, text.locale).first()
    kept = LetterTemplate.objects.create(
        code=text.code,
        locale=text.locale,
        version=(last.version if last else 0) + 1,
        builtin=builtin,
        subject="" if builtin else text.subject,
        blocks={} if builtin else dict(text.blocks),
        digest=text.digest,
        created_by=user,
        created_at=now,
        active_from=active_from,
    )
    data = {
        "letter": text.code,
        "locale": text.locale,
        "version": kept.version,
        "builtin": "YES" if builtin else "NO",
        "digest": text.digest,
    }
    log.append(
        type="letter_template_published", case=None, now=now, actor=actor_of(user), data=data
    )
    return kept
