"""Which texts of letters are refused: the sentence says what is missing or not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.letter_rules import (
    BLOCK_MOST,
    LOCALES,
    PLACEHOLDERS,
    RULES,
    SECRETS,
    SUBJECT_MOST,
)
from audits.core.placeholders import BraceAlone, placeholders_in
from lineage.core.worded import Worded, worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.letter_rules import Rule


class TemplateRejected(ValueError):
    """A text of a letter cannot be used; the sentence names the block and what is wrong.

    ``part`` is the block, or ``subject``; empty where the letter as a whole is not known.
    """

    def __init__(self, sentence: str, part: str = "") -> None:
        super().__init__(sentence)
        self.part = part


def check_template(*, code: str, locale: str, subject: str, blocks: Mapping[str, str]) -> None:
    """Refuse a text that leaves out what is mandatory or uses what is not known.

    Raises:
        TemplateRejected: nothing was saved.
    """
    if code not in RULES or locale not in LOCALES:
        raise TemplateRejected(
            worded(
                "There is no letter %(code)s in the language %(locale)s.",
                code=repr(code),
                locale=repr(locale),
            )
        )
    rule = RULES[code]
    if odd := sorted(set(blocks) - set(rule.blocks)):
        raise TemplateRejected(
            worded(
                "The letter has no block %(name)s; it has %(allowed)s.",
                name=repr(odd[0]),
                allowed=", ".join(rule.blocks),
            )
        )
    if not subject.strip() or len(subject) > SUBJECT_MOST or "\n" in subject or "\r" in subject:
        raise TemplateRejected(
            worded("The subject must be one line of 1 to %(most)s letters.", most=SUBJECT_MOST),
            "subject",
        )
    _check_names("subject", subject, rule)
    if used := SECRETS & set(placeholders_in(subject)):
        raise TemplateRejected(
            worded("The subject must not have the link {%(name)s}.", name=min(used)), "subject"
        )
    for name in rule.blocks:
        _check_block(name, blocks.get(name, ""), rule)


def _check_block(name: str, text: str, rule: Rule) -> None:
    if name in rule.mandatory and not text.strip():
        raise TemplateRejected(
            worded_of(
                _block(name),
                "It is mandatory in the letter %(title)s and cannot be empty.",
                title=worded(rule.title),
            ),
            name,
        )
    if len(text) > BLOCK_MOST:
        raise TemplateRejected(
            worded_of(
                _block(name),
                "It has %(count)s letters; %(most)s are allowed.",
                count=len(text),
                most=BLOCK_MOST,
            ),
            name,
        )
    used = _check_names(name, text, rule)
    for needed in rule.mandatory.get(name, ()):
        if needed not in used:
            raise TemplateRejected(
                worded_of(
                    _block(name),
                    "It must have the placeholder {%(needed)s}: %(meaning)s.",
                    needed=needed,
                    meaning=worded(PLACEHOLDERS[needed]),
                ),
                name,
            )


def _check_names(name: str, text: str, rule: Rule) -> list[str]:
    try:
        used = placeholders_in(text)
    except BraceAlone as error:
        raise TemplateRejected(
            worded("The block %(name)s: %(error)s", name=repr(name), error=error), name
        ) from None
    for placeholder in used:
        if placeholder not in rule.allowed:
            raise TemplateRejected(
                worded_of(
                    _block(name),
                    "It has the placeholder {%(placeholder)s}, which this letter does not "
                    "know. It knows %(allowed)s.",
                    placeholder=placeholder,
                    allowed=", ".join(f"{{{one}}}" for one in rule.allowed),
                ),
                name,
            )
    return used


def _block(name: str) -> Worded:
    return worded("The block %(name)s", name=repr(name))
