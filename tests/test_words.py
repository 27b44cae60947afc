"""Every sentence of the pages is translated, and the compiled catalogues are the edited."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from audits.core.grounds import REFUSALS
from audits.queries.letter_texts import phrases
from tests import words
from tests.word_tables import PUBLIC_TEMPLATES

TEMPLATES = words.ROOT / "templates"
WORDLESS = ("audits/_field", "audits/_status_live")
INCLUDED = re.compile(r'{% (?:include|extends) "([^"]+)\.html"')


@pytest.fixture(scope="module")
def used():
    return words.words_used()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_sentence_is_translated_with_its_placeholders(used, language):
    assert words.wrong(used, words.translations(language)) == []


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_edited_one(language):
    made = words.catalogue_of(language).with_suffix(".mo").read_bytes()
    assert made == words.compiled(language), "Run: python -m tests.words"


def test_what_a_catalogue_lacks_is_named():
    said = {"On %(day)s.": "Le %(jour)s.", "Gone.": "Parti."}
    assert words.wrong({"On %(day)s.", "New."}, said) == [
        "not translated: 'New.'",
        "not used any more: 'Gone.'",
        "other placeholders: 'On %(day)s.' -> 'Le %(jour)s.'",
    ]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_reason_of_a_refusal_is_a_phrase_of_the_letters(language):
    assert set(REFUSALS) <= set(phrases(language))


def test_every_included_template_of_a_public_page_is_public():
    for name in PUBLIC_TEMPLATES:
        for other in INCLUDED.findall((TEMPLATES / f"{name}.html").read_text()):
            if other not in WORDLESS:
                assert other in PUBLIC_TEMPLATES, f"{name} includes {other}"


def test_no_template_holds_a_sentence_that_nobody_can_translate():
    """What is left without tags and translated parts has no two words in a row."""
    for name in (*PUBLIC_TEMPLATES, *words.staff_templates()):
        text = (TEMPLATES / f"{name}.html").read_text()
        text = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", text, flags=re.DOTALL)
        text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text)
        text = re.sub(r"<(code|kbd)\b[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
        left = re.sub(r"<[^>]*>", "|", text)
        assert not re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", left), f"{name}: {left}"


def test_the_words_of_the_site_win_over_those_of_the_framework():
    with translation.override("fr"):
        assert translation.gettext("Withdrawn") == "Retirée"
