"""Lay a letter out: blocks with placeholders become paragraphs, and these a text for e-mail.

An empty line begins a paragraph; a line that begins with "* " is a point of a list; other line
breaks are spaces. A paragraph with a placeholder that has nothing to say is left out.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audits.core.letter_rules import RULES, SECRETS
from audits.core.placeholders import fill, placeholders_in
from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Values = Mapping[str, str | tuple[str, ...]]

WIDTH = 72
TEXT, ITEM, EXACT = "text", "item", "exact"
NO_BREAK = "\N{NO-BREAK SPACE}"
_FRENCH = re.compile(r" ([;:?!»])")
_EXACT_NAMES = SECRETS | {"checkpoint"}
_ALONE = re.compile(r"\{([a-z_]+)\}")


class LetterIncomplete(Exception):
    """A mandatory block would say nothing, so there is no letter; ``part`` says which block."""

    def __init__(self, sentence: str, part: str = "") -> None:
        super().__init__(sentence)
        self.part = part


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A paragraph, a point of a list, or lines that must not be broken otherwise."""

    style: str
    text: str


def lay_out(code: str, blocks: Mapping[str, str], values: Values) -> list[Paragraph]:
    """Return the paragraphs of a letter.

    Args:
        code: which letter, of ``RULES``.
        blocks: the text of each block, as written.
        values: what each placeholder stands for; several items where it is a list.

    Raises:
        LetterIncomplete: a mandatory block is empty; the state of the log alone may be missing.
    """
    rule, laid = RULES[code], []
    for name in rule.blocks:
        block = paragraphs_of(blocks.get(name, ""), values)
        if not block and name in rule.mandatory and name != "checkpoint":
            raise LetterIncomplete(_why(name, code, values), name)
        laid += block
    return laid


def paragraphs_of(text: str, values: Values) -> list[Paragraph]:
    """Return the paragraphs of one block, without those that have nothing to say."""
    laid: list[Paragraph] = []
    for chunk in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        if chunk and all(values.get(name) for name in placeholders_in(chunk)):
            laid += _of_chunk(chunk, values)
    return laid


def one_line(text: str) -> str:
    """Return a text without line breaks and other control characters, as a header needs it."""
    shown = "".join(c if c.isprintable() or c in NO_BREAK else " " for c in text)
    return re.sub(" +", " ", shown).strip(" ")


def spaced(paragraphs: Iterable[Paragraph], locale: str) -> list[Paragraph]:
    """Return paragraphs in which, in French, no line begins with a high punctuation mark."""
    if locale != "fr":
        return list(paragraphs)
    return [
        one if one.style == EXACT else replace(one, text=_FRENCH.sub(NO_BREAK + r"\1", one.text))
        for one in paragraphs
    ]


def inline(values: Values) -> dict[str, str]:
    """Return the values as they stand within a sentence."""
    return {
        name: value if isinstance(value, str) else ", ".join(value)
        for name, value in values.items()
    }


def as_text(paragraphs: Iterable[Paragraph]) -> str:
    """Return the paragraphs as the plain text of an e-mail, no line of prose over 72 letters."""
    text, before = "", ""
    for one in paragraphs:
        gap = "\n" if one.style == before == ITEM else "\n\n"
        text += (gap if text else "") + _wrapped(one)
        before = one.style
    return text + "\n"


def _of_chunk(chunk: str, values: Values) -> list[Paragraph]:
    laid: list[Paragraph] = []
    joins = False
    for line in (line.strip() for line in chunk.split("\n")):
        alone = _ALONE.fullmatch(line)
        if alone:
            laid += _of_value(alone[1], values[alone[1]])
            joins = False
            continue
        style, words = (ITEM, line[2:]) if line.startswith("* ") else (TEXT, line)
        filled = one_line(fill(words, inline(values)))
        if joins and style == TEXT:
            before = laid.pop()
            laid.append(Paragraph(style=before.style, text=f"{before.text} {filled}"))
        else:
            laid.append(Paragraph(style=style, text=filled))
        joins = True
    return laid


def _of_value(name: str, value: str | tuple[str, ...]) -> list[Paragraph]:
    if isinstance(value, tuple):
        return [Paragraph(style=ITEM, text=one_line(item)) for item in value]
    if name in _EXACT_NAMES:
        return [Paragraph(style=EXACT, text=value.strip("\n"))]
    lines = [one_line(line) for line in value.splitlines()]
    return [Paragraph(style=TEXT, text=line) for line in lines if line]


def _wrapped(one: Paragraph) -> str:
    if one.style == EXACT:
        return one.text
    first, later = ("* ", "  ") if one.style == ITEM else ("", "")
    return textwrap.fill(
        one.text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _why(name: str, code: str, values: Values) -> str:
    missing = [one for one in RULES[code].mandatory[name] if not values.get(one)]
    if not missing:
        return worded(
            "The letter %(code)s cannot be written without its block %(name)s.",
            code=code,
            name=repr(name),
        )
    return worded(
        "The letter %(code)s cannot be written without its block %(name)s: {%(missing)s} is "
        "empty.",
        code=code,
        name=repr(name),
        missing=missing[0],
    )
