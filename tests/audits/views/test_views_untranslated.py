"""No page of staff says a sentence that no catalogue is asked for."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from audits.core.processing_words import WORDS
from tests.audits.views.untranslated import found, in_brackets, left_in

# Names, reasons and identifiers of the seeded cases, and what is English on purpose.
DATA = (
    # The record of processing has a catalogue of its own, in audits/core/processing_words.py.
    *(
        part
        for words in WORDS["en"].values()
        for part in re.split(r"\{\w+\}", words)
        if len(part.split()) > 1
    ),
    "Example Controller, privacy@localhost",
    "We write.",
    "Place accounts",
    # What was typed or stored of the seeded cases.
    "It got worse.",
    "The register of the association must stay readable for the court.",
    "an auditor",
)


def test_a_sentence_past_the_catalogue_is_found():
    page = '<h1>⟦Cases of ⟦today⟧⟧</h1><p>Two words</p><code>not said</code><img alt="seen so">'
    assert left_in(page) == ["Two words", "seen so"]


def test_a_sentence_may_hold_a_link_and_what_says_its_language_is_left_alone():
    page = '<p>⟦See <a href="/">the register</a> of it⟧ and more</p><h2 lang="de">Guten Tag</h2>'
    assert left_in(page) == ["| and more"]


def test_brackets_are_put_around_what_a_catalogue_is_asked_for():
    from django.utils.translation import gettext, ngettext

    with in_brackets():
        assert gettext("Open cases") == "⟦Open cases⟧"
        assert ngettext("a case", "%d cases", 2) % 2 == "⟦2 cases⟧"


def test_every_sentence_on_a_page_of_staff_can_be_translated(db):
    left = {
        path: kept
        for path, said in found().items()
        if (kept := [one for one in said if not any(name in one for name in DATA)])
    }
    if where := os.environ.get("EXPUNGE_TEST_UNTRANSLATED"):
        Path(where).write_text(json.dumps(left, indent=1, ensure_ascii=False))
    assert left == {}
