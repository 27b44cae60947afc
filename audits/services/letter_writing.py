"""Write a letter: the text in use, in the person's language, with what the case says filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.letter_layout import inline, lay_out, one_line, spaced
from audits.core.letter_rules import RULES, SECRETS
from audits.core.placeholders import fill
from audits.queries.letter_texts import current_text, known_locale, phrases
from audits.queries.letter_values import letter_values
from audits.services.letter_contents import Written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from audits.core.letter_layout import Values
    from audits.models import ErasureRequest
    from audits.queries.letter_texts import LetterText


def write(
    *,
    request: ErasureRequest,
    code: str,
    now: datetime,
    context: Mapping[str, Any],
) -> tuple[Written, LetterText]:
    """Return a letter and the text that it was written from.

    Raises:
        LetterIncomplete: a mandatory block has nothing to say.
    """
    language = known_locale(request.locale)
    text = current_text(code, language, now)
    values = letter_values(request, language, context)
    return filled_in(text, values), text


def preview_letter(
    *, request: ErasureRequest, code: str, now: datetime, context: Mapping[str, Any]
) -> Written:
    """Return the exact text that would be sent now, but for the links that only the person gets.

    Nothing is kept.

    Raises:
        LetterIncomplete: a mandatory block has nothing to say.
    """
    written, text = write(request=request, code=code, now=now, context=context)
    return written.without_links(phrases(text.locale)["hidden"])


def filled_in(text: LetterText, values: Values) -> Written:
    """Return a text with its values filled in. Raises LetterIncomplete."""
    known = {name: values.get(name, "") for name in RULES[text.code].allowed}
    links = tuple(str(known[name]) for name in sorted(SECRETS & set(known)) if known[name])
    return Written(
        subject=one_line(fill(text.subject, inline(known))),
        paragraphs=tuple(spaced(lay_out(text.code, text.blocks, known), text.locale)),
        links=links,
    )
