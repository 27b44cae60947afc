"""The words of reports: what must be translated, and what is.

    python -m tests.report_words          write locale/*/LC_MESSAGES/report.mo, and say what lacks

As ``tests.words`` for the pages, with a catalogue of its own. Calls of ``say`` and ``counted`` are
found in the modules of reports; sentences that stand in tables are listed here.
"""

from __future__ import annotations

import ast
import re
import sys
from io import BytesIO
from typing import TYPE_CHECKING

from tests.words import LANGUAGES, ROOT, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SPEAKERS = {"say", "counted"}
MODULES = sorted((ROOT / "audits" / "execution").glob("report*.py"))
BRACES = re.compile(r"\{\w+\}")


def catalogue_of(language: str) -> Path:
    """Return where the ``.po`` of a language lies."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "report.po"


def words_used() -> set[str]:
    """Return every sentence that a report may show and that is not data. Needs Django."""
    return {*_in_calls(), *_in_tables()}


def translations(language: str) -> dict[str, str]:
    """Return what the ``.po`` of a language says."""
    from babel.messages.pofile import read_po

    with catalogue_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {str(one.id): "" if one.fuzzy else str(one.string) for one in catalogue if one.id}


def compiled(language: str) -> bytes:
    """Return the ``.mo`` that belongs to the ``.po`` of a language."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with catalogue_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    made = BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def other_braces(language: str) -> list[str]:
    """Return the sentences of records whose ``{name}`` are not all in their translation."""
    said = translations(language)
    return [one for one in said if set(BRACES.findall(one)) != set(BRACES.findall(said[one]))]


def _in_calls() -> Iterator[str]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SPEAKERS:
                parts = [part for one in node.args for part in ast.walk(one)]
                yield from (
                    part.value
                    for part in parts
                    if isinstance(part, ast.Constant)
                    and isinstance(part.value, str)
                    and _is_words(part.value)
                )


def _is_words(text: str) -> bool:
    """Return whether a text is said, and not the name of a field."""
    return " " in text or text[:1].isupper() or text in SHORT


# Words of one small letter-group that are said.
SHORT = {"d", "yes", "no", "none"}


def _in_tables() -> Iterator[str]:
    from audits.attacks.population import Population
    from audits.attacks.u_lira import ULira
    from audits.core.estimates import Level
    from audits.core.questions import QUESTIONS
    from audits.execution import (
        report_answer_codes,
        report_answer_words,
        report_answers,
        report_checking,
        report_codes,
        report_evidence,
        report_kept,
        report_labels,
        report_models,
        report_operator,
        report_person_words,
        report_public,
        report_sections,
        report_told,
        report_u_lira,
        report_view,
        report_words,
        reporting,
    )
    from audits.execution.report_retold import known_sentences
    from audits.queries.ends import WORDS as ENDS
    from unlearning.models import UnlearningRun

    five = ("DONE", "RESIDUAL", "INCONCLUSIVE", "REFUSED", "NOT_POSSIBLE")
    yield from (getattr(report_words, name) for name in five)
    for table in (
        *(report_words.CASES, report_words.PROMISES, report_words.EXACTLY, report_words.UNTITLED),
        *(report_words.STEPS, report_words.AUDIT_DATA, report_words.CAPTIONS),
        *(report_words.MODES, report_words.CONTRASTS, report_view.NAMES),
        *(report_operator.NAMES, report_operator.REASONS, report_operator.DISPOSALS),
        *(report_sections.PLACES, report_labels.WORDS, report_labels.FIVE_WORDS, ENDS),
        *(report_person_words.PERSON, report_person_words.TEXTS, report_person_words.OUTCOMES),
        *(report_person_words.SOMETIMES, report_person_words.SUMMARIES),
        *(report_person_words.CHANNELS, report_person_words.GROUNDS),
        *(report_public.PUBLIC, report_public.TEXTS),
        *(report_checking.WORDS, report_checking.PERSON),
        *(report_answer_words.LABELS, report_answer_codes.CODES, report_answers.ACTORS),
    ):
        for said in table.values():
            yield from [said] if isinstance(said, str) else said
    yield from (meaning for _, meaning in report_words.VERDICTS.values())
    yield from (level.words for level in Level)
    yield from (one.words for one in QUESTIONS.values())
    yield from (Population.title, Population.adversary, ULira.adversary)
    yield from (str(one.label) for one in UnlearningRun.Status)
    yield from report_codes.CODES
    yield from known_sentences()
    yield from (report_view.ANSWER, report_told.OLD, report_told.NOBODY, report_u_lira.UNREADABLE)
    yield from (report_kept.UNNAMED, report_models.UNTREATED, report_view.KEPT)
    yield from (report_person_words.NOBODY, report_person_words.NOT_TOLD)
    yield from (*report_person_words.ALWAYS, *report_public.HOW, reporting.NO_PLOT)
    yield reporting.FIGURE_WORDS
    yield from _further()
    yield report_evidence.DESCRIPTIVE
    yield from (report_operator.DROPPED, report_operator.TAKEN_OUT, report_operator.EARLIER)


def _further() -> Iterator[str]:
    from audits.execution import report_further as more

    yield from (more.MODELS_TITLE, more.MODELS_SAID, more.REMEDIES_TITLE, more.REMEDIES_SAID)
    yield from (more.PROCEDURE_TITLE, *more.PROCEDURE, more.ASSESSMENT_TITLE, more.ASSESSMENT)
    yield from (more.CHANGES_TITLE, *more.CHANGES_HEAD, *(said for _, said in more.CHANGES))
    yield from (more.TERMS_TITLE, *more.TERMS_HEAD, *(one for row in more.TERMS for one in row))


def complete(used: Iterable[str], language: str) -> list[str]:
    """Return what a catalogue lacks, has too much, or fills in otherwise."""
    return [*wrong(set(used), translations(language)), *other_braces(language)]


def main() -> int:
    """Compile every catalogue; return 1 where one is not complete."""
    import django

    django.setup()
    whole = True
    for language in LANGUAGES:
        catalogue_of(language).with_suffix(".mo").write_bytes(compiled(language))
        for sentence in complete(words_used(), language):
            whole = False
            print(f"{language}: {sentence}")
    return 0 if whole else 1


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(main())
