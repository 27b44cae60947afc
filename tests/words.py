"""The words of the pages: what must be translated, and what is.

    python -m tests.words          write locale/*.mo, and say what is missing or left over

A catalogue is a ``.po`` file that people edit; its ``.mo`` lies beside it in the repository, so
that an installation needs no tool to make it. A test says whether the two agree.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from io import BytesIO
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.word_tables import (
    AUTHORITY,
    ENUMS,
    LOWERED,
    NO_STAND,
    PHASES,
    PUBLIC_TEMPLATES,
    SPEAKERS,
    TABLES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
APPS = ("lineage", "unlearning", "audits", "config")
GETTEXT = "from django.utils.translation import"
LANGUAGES = ("fr", "de")
KEYWORDS: Mapping[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2)}
WORDED = "from lineage.core.worded import"
WORDED_KEYWORDS: Mapping[str, Any] = {"worded": None, "worded_of": (2,)}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def catalogue_of(language: str) -> Path:
    """Return where the ``.po`` of a language lies."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def words_used() -> set[str]:
    """Return every sentence that a page may show and that is not data. Needs Django.

    A sentence with a plural stands for both of its forms.
    """
    return {*_in_templates(), *_in_modules(), *_in_tables(), AUTHORITY}


def staff_templates() -> list[str]:
    """Return the names of the templates of pages that are staff's alone."""
    pages = (path.relative_to(TEMPLATES).with_suffix("") for path in TEMPLATES.rglob("*.html"))
    return sorted(set(map(str, pages)) - set(PUBLIC_TEMPLATES))


def modules() -> list[Path]:
    """Return the modules that translate what they say."""
    return _importing(GETTEXT)


def _importing(line: str) -> list[Path]:
    files = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in files if line in path.read_text())


def translations(language: str) -> dict[str, str]:
    """Return what the ``.po`` of a language says."""
    from babel.messages.pofile import read_po

    with catalogue_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {
        _first(message.id): "" if message.fuzzy else _whole(message.string or "")
        for message in catalogue
        if message.id
    }


def _first(said: str | Sequence[str]) -> str:
    return said if isinstance(said, str) else said[0]


def _whole(said: str | Sequence[str] | None) -> str:
    """Return what stands for a translation: that of the singular, once no form is missing."""
    forms = [said] if isinstance(said, str) else said or [""]
    return forms[-1] if all(forms) else ""


def compiled(language: str) -> bytes:
    """Return the ``.mo`` that belongs to the ``.po`` of a language."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with catalogue_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    made = BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def wrong(used: set[str], said: Mapping[str, str]) -> list[str]:
    """Return what a catalogue lacks, has too much, or says with other placeholders."""
    return [
        *(f"not translated: {words!r}" for words in sorted(used) if not said.get(words)),
        *(f"not used any more: {words!r}" for words in sorted(set(said) - used)),
        *(
            f"other placeholders: {words!r} -> {said[words]!r}"
            for words in sorted(used & set(said))
            if sorted(PLACEHOLDER.findall(words)) != sorted(PLACEHOLDER.findall(said[words]))
        ),
    ]


def _in_templates() -> Iterator[str]:
    from django.utils.translation.template import templatize

    for name in (*PUBLIC_TEMPLATES, *staff_templates()):
        text = (ROOT / "templates" / f"{name}.html").read_text()
        # Django leaves calls of gettext among rows of X, indented as the template was.
        rows = templatize(text).splitlines()
        yield from _extracted("\n".join(row.strip() for row in rows))


def _in_modules() -> Iterator[str]:
    for path in modules():
        yield from _extracted(path.read_text())
    for path in (*_importing(WORDED), ROOT / "lineage" / "core" / "worded.py"):
        yield from _extracted(path.read_text(), WORDED_KEYWORDS)


def _in_tables() -> Iterator[str]:
    from audits.core.roles import ROLES

    for module, name in TABLES:
        yield from _texts(getattr(import_module(module), name))
    for name in SPEAKERS:
        yield from _extracted((ROOT / "audits" / "core" / f"{name}.py").read_text(), {"say": None})
    yield from ROLES
    yield from (label for one in ENUMS for label in _labels(*one))
    yield from (label.lower() for one in LOWERED for label in _labels(*one))
    yield from _of_policy()
    yield from _of_cases()
    yield from _in_registers()


def _of_cases() -> Iterator[str]:
    from audits.core.attack_register import attack_titles
    from audits.core.badges import VERDICTS
    from audits.core.foreseen import SENTENCES
    from audits.core.letter_rules import RULES
    from audits.core.regimes import REGIMES
    from audits.models import ErasureRequest
    from lineage.models import Role
    from unlearning.queries.catalogue import titles

    yield from (*PHASES, *SENTENCES, *attack_titles().values())
    yield from titles().values()
    yield from (rule.title for rule in RULES.values())
    yield from (words for one in VERDICTS.values() for words in (one.label, one.meaning))
    # A case that stopped says where, by its code; so does the way of records to a version.
    yield from (status.lower() for status in ErasureRequest.Status if status not in NO_STAND)
    yield from (role.replace("_", " ").lower() for role in Role)
    yield from ("Not judged yet", "a Saturday", "a Sunday")
    for law in REGIMES.values():
        yield from (law.name, law.source, law.first.words)
        yield from (law.extended.words,) if law.extended else ()


def _in_registers() -> Iterator[str]:
    """Yield what letters, registers and kinds of places are declared with."""
    from audits.core.letter_rules import PLACEHOLDERS, RULES
    from audits.core.not_run import NEVER
    from audits.core.webhook_events import KINDS
    from audits.queries.attack_register import EXACT, NO_AUDIT, NOT_ASKED
    from audits.queries.register_tables import REGISTERS
    from audits.views.letter_forms import called
    from audits.views.place_forms import label_of, purpose_of
    from audits.views.register_pages import heading
    from lineage import locations

    yield from PLACEHOLDERS.values()
    for rule in RULES.values():
        yield from (rule.title, *map(called, rule.blocks))
    for table in REGISTERS.values():
        yield from (table.title, table.lead, *map(heading, table.shown))
    yield from (kind.words for kind in KINDS.values())
    yield from (words for one in NEVER for words in (one.attack, one.reason))
    yield from (NO_AUDIT, EXACT, NOT_ASKED)
    for kind in locations.KINDS:
        yield locations.kind_named(kind).title
        for one in locations.settings_of(kind):
            allowed = {one.setting.allowed} if one.kind is not int else set()
            yield from (label_of(one), purpose_of(one), *allowed)


def _texts(found: Any) -> Iterator[str]:  # noqa: ANN401  (a text, or what holds several)
    """Yield the texts of a table: its values, and of a badge its label and its meaning."""
    if isinstance(found, str):
        yield from [found] if found else []
    elif hasattr(found, "meaning"):
        yield from filter(None, (found.label, found.meaning))
    else:
        for one in found.values() if hasattr(found, "values") else found:
            yield from _texts(one)


def _of_policy() -> Iterator[str]:
    from audits.core.policy_keys import KEYS, SECTIONS

    yield from (section.title for section in SECTIONS.values())
    for key in KEYS.values():
        yield from (key.title, key.help, key.kind.rule, key.holds_for)
        if " " in key.source:  # others are the path of a page
            yield key.source


def _labels(module: str, path: str) -> list[str]:
    """Return what the choices of an enum are called, such as ``ErasureRequest.Status``."""
    found = attrgetter(path)(import_module(module))
    return [str(one.label) for one in found if one.label]


def _extracted(text: str, keywords: Mapping[str, Any] = KEYWORDS) -> Iterator[str]:
    from babel.messages.extract import extract

    for _, message, _, _ in extract("python", BytesIO(text.encode()), keywords=keywords):
        yield _first(message)


def main() -> int:
    """Compile every catalogue; return 1 where one is not complete."""
    import django

    django.setup()
    used, complete = words_used(), True
    for language in LANGUAGES:
        catalogue_of(language).with_suffix(".mo").write_bytes(compiled(language))
        for sentence in wrong(used, translations(language)):
            complete = False
            print(f"{language}: {sentence}")
    return 0 if complete else 1


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(main())
