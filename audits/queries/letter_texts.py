"""The texts of letters: the built-in ones, the operator's, and which of them is in use."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.core.canonical import write_json
from audits.core.letter_rules import LOCALES, RULES
from audits.models import LetterTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

FALLBACK = "en"
# A line break that is a space: none before a point of a list or a placeholder on its own line.
_SOFT_BREAK = re.compile(r"(?<![\n}])\n(?!\n|\* |\{[a-z_]+\}(?:\n|$))")


@dataclass(frozen=True, kw_only=True)
class LetterText:
    """A letter in one language, before anything is filled in; version 0 is the built-in one."""

    code: str
    locale: str
    subject: str
    blocks: Mapping[str, str]
    version: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of subject and blocks."""
        content = {"subject": self.subject, "blocks": dict(self.blocks)}
        return hashlib.sha256(write_json(content)).hexdigest()


def known_locale(locale: str) -> str:
    """Return the language of a locale such as "fr-CA"; English where it has no letters."""
    language = locale.replace("_", "-").split("-", maxsplit=1)[0].lower()
    return language if language in LOCALES else FALLBACK


def builtin_text(code: str, locale: str) -> LetterText:
    """Return the text that came with the software."""
    read = _file(locale)
    own, shared = read[code], read["SHARED"]
    blocks = {
        name: _SOFT_BREAK.sub(" ", str(own.get(name, shared.get(name, ""))).strip())
        for name in RULES[code].blocks
    }
    return LetterText(
        code=code, locale=locale, subject=own["subject"], blocks=MappingProxyType(blocks)
    )


def phrases(locale: str) -> Mapping[str, str]:
    """Return the sentences that stand for codes."""
    found: Mapping[str, str] = _file(locale)["PHRASES"]
    return found


def current_text(code: str, locale: str, now: datetime) -> LetterText:
    """Return the text in use: the newest version that is active, or the built-in one."""
    active = versions_of(code, locale).filter(active_from__lte=now).first()
    if active is None or active.builtin:
        return builtin_text(code, locale)
    blocks = MappingProxyType({name: active.blocks.get(name, "") for name in RULES[code].blocks})
    return LetterText(
        code=code, locale=locale, subject=active.subject, blocks=blocks, version=active.version
    )


def versions_in_use(now: datetime) -> dict[tuple[str, str], int]:
    """Return the version in use of every letter with a text of the operator's, in one query.

    By code and locale; 0 where the built-in text is used again.
    """
    active = LetterTemplate.objects.filter(active_from__lte=now).order_by("version")
    rows = active.values_list("code", "locale", "version", "builtin")
    return {(code, locale): 0 if builtin else version for code, locale, version, builtin in rows}


def versions_of(code: str, locale: str) -> QuerySet[LetterTemplate]:
    """Return what was published of a letter in a language, the newest first."""
    return LetterTemplate.objects.filter(code=code, locale=locale).order_by("-version")


@cache
def _file(locale: str) -> dict[str, Any]:
    file = settings.BASE_DIR / "templates" / "letters" / f"{locale}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
