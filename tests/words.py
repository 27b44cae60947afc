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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
APPS = ("lineage", "unlearning", "audits", "config")
GETTEXT = "from django.utils.translation import"
LANGUAGES = ("fr", "de")
# Every template that speaks to a person, and what they include; the others speak to staff.
PUBLIC_TEMPLATES = (
    *("base", "_languages", "400", "403", "403_csrf", "404", "500"),
    *("_problem", "_choices", "_question", "_steps", "_reach"),
    *("audits/erasure_form", "audits/ask_kind", "audits/ask_more", "audits/ask_email"),
    *("audits/check", "audits/_asked", "audits/_traps", "audits/erasure_received"),
    *(
        "audits/confirm",
        "audits/confirmed",
        "audits/link_not_usable",
        "audits/link_used",
        "audits/withdrawn",
    ),
    *("audits/answer", "audits/answered", "audits/not_there", "audits/acknowledge"),
    *("audits/status", "audits/status_unknown", "audits/withdraw", "audits/withdraw_late"),
)
# Words that are translated where they are shown, as (module, name of a table or of an enum).
TABLES = (
    ("audits.execution.pictures", "CAPTIONS"),
    *(
        ("audits.execution.provenance_words", name)
        for name in ("ENDS", "ROLES", "METHODS", "VERDICTS")
    ),
    *(("audits.execution.timeline_picture", name) for name in ("NAMES", "UNITS")),
    ("audits.queries.journey", "LABELS_FOR_THE_PERSON"),
    ("audits.views.wording", "OUTCOMES"),
    ("audits.views.wording", "JOBS"),
    *(("audits.views.jobs", name) for name in ("LABELS", "STOPPED", "REPEATED")),
    ("audits.queries.event_pages", "WHY_NOT"),
    ("audits.core.policy_fixed", "FIXED"),
    ("lineage.core.queues", "QUEUES"),
    *(("lineage.views.versions", name) for name in ("STATES", "GUARANTEES")),
    ("lineage.views.graph_picture", "SHORT"),
)
# Enums whose labels are shown, and those whose labels stand in lower case within a sentence.
ENUMS = (
    ("audits.models", "ErasureRequest.Status"),
    ("audits.models", "ErasureRequest.Outcome"),
    ("audits.models", "CheckpointAnchor.Kind"),
    ("audits.models", "PolicyChange.State"),
    *(("lineage.models", f"Run.{name}") for name in ("Activity", "Capture")),
    ("lineage.models", "ModelVersion.State"),
    ("lineage.models", "Role"),
    ("lineage.models", "Influence"),
    ("lineage.models", "Artefact.Kind"),
    ("unlearning.models", "UnlearningRun.Status"),
)
LOWERED: tuple[tuple[str, str], ...] = (("lineage.models", "Role"),)
AUTHORITY = "the data protection authority of your country"
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
    files = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in files if GETTEXT in path.read_text())


def translations(language: str) -> dict[str, str]:
    """Return what the ``.po`` of a language says."""
    from babel.messages.pofile import read_po

    with catalogue_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {
        _first(message.id): "" if message.fuzzy else _whole(message.string)
        for message in catalogue
        if message.id
    }


def _first(said: str | Sequence[str]) -> str:
    return said if isinstance(said, str) else said[0]


def _whole(said: str | Sequence[str]) -> str:
    """Return what stands for a translation: that of the singular, once no form is missing."""
    forms = [said] if isinstance(said, str) else said
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


def _in_tables() -> Iterator[str]:
    for module, name in TABLES:
        yield from getattr(import_module(module), name).values()
    yield from (label for one in ENUMS for label in _labels(*one))
    yield from (label.lower() for one in LOWERED for label in _labels(*one))
    yield from _of_policy()


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


def _extracted(text: str) -> Iterator[str]:
    from babel.messages.extract import extract

    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
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
