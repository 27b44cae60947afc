"""The built-in texts: one letter in three languages, plain words, and nothing left out."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.grounds import REFUSALS
from audits.core.letter_checks import TemplateRejected, check_template
from audits.core.letter_dates import date_words
from audits.core.letter_layout import (
    EXACT,
    LetterIncomplete,
    as_text,
    lay_out,
    one_line,
    paragraphs_of,
)
from audits.core.letter_rules import LOCALES, RULES
from audits.core.placeholders import BraceAlone, fill, placeholders_in
from audits.queries.letter_samples import sample_values
from audits.queries.letter_texts import builtin_text, phrases
from audits.services.letter_writing import filled_in

pytestmark = pytest.mark.django_db  # samples name the controller, who may be stored
EVERY = [(code, locale) for code in RULES for locale in LOCALES]
# privacy.md 3.7 item 10: words that promise more than anybody can keep.
BANNED = {
    "en": r"certified|guarante|anonym|100 ?%|gdpr[- ]compliant",
    "fr": r"certifi|garanti|anonym|100\s?%|conforme au rgpd",
    "de": r"zertifiz|garant|anonym|100\s?%|dsgvo[- ]konform",
}
WORDS_IN_A_SENTENCE = 36
ATTACKS = (
    "{{ settings.SECRET_KEY }}",
    "{% include 'x' %}",
    "{request.email}",
    "{reference!r}",
    "{reference:>99999999}",
    "{0}",
    "{__class__}",
    "{Reference}",
    "{",
    "}",
)


def written(code, locale):
    return filled_in(builtin_text(code, locale), sample_values(locale))


def blocks_with(code, locale, **changed: str):
    return {**builtin_text(code, locale).blocks, **changed}


def check(code, locale="en", *, subject="About {reference}", **changed: str):
    check_template(
        code=code, locale=locale, subject=subject, blocks=blocks_with(code, locale, **changed)
    )


@pytest.mark.parametrize(("code", "locale"), EVERY)
def test_L6_E3_every_builtin_text_keeps_the_rules_and_can_be_written(code, locale):
    text = builtin_text(code, locale)
    check_template(code=code, locale=locale, subject=text.subject, blocks=text.blocks)
    letter = written(code, locale)
    assert "ER-2345-6789" in letter.subject
    assert "ER-2345-6789" in letter.body
    assert not re.search(r"[{}]", letter.subject + letter.body)


@pytest.mark.parametrize(("code", "locale"), EVERY)
def test_L6_no_letter_promises_too_much_or_is_hard_to_read(code, locale):
    letter = written(code, locale)
    prose = [one.text for one in letter.paragraphs if one.style != EXACT]
    assert not re.search(BANNED[locale], " ".join(prose).casefold())
    sentences = [words for one in prose for words in re.split(r"[.!?:;]\s", one)]
    assert max(len(sentence.split()) for sentence in sentences) <= WORDS_IN_A_SENTENCE
    assert all(len(line) <= 72 for line in letter.body.splitlines())


@pytest.mark.parametrize("code", RULES)
def test_L6_all_languages_have_the_same_blocks_and_placeholders(code):
    texts = [builtin_text(code, locale) for locale in LOCALES]
    for name in RULES[code].blocks:
        assert len({bool(text.blocks[name]) for text in texts}) == 1, name
        assert len({frozenset(placeholders_in(text.blocks[name])) for text in texts}) == 1, name
    assert len({frozenset(placeholders_in(text.subject)) for text in texts}) == 1


def test_L6_all_languages_have_the_same_sentences_for_codes():
    english = phrases("en")
    for locale in LOCALES:
        assert phrases(locale).keys() == english.keys()
        for name, sentence in phrases(locale).items():
            assert set(placeholders_in(sentence)) == set(placeholders_in(english[name])), name
            assert not re.search(BANNED[locale], sentence.casefold()), name
        assert set(REFUSALS) <= set(phrases(locale))


def test_the_language_of_a_text_is_its_own():
    assert "Sehr geehrte" in written("EXTENSION", "de").body
    assert "4. Juni 2030" in written("EXTENSION", "de").body
    assert "Madame, Monsieur," in written("EXTENSION", "fr").body
    assert not re.search(r"^[;:?!]", written("ANSWER_ERASED", "fr").body, re.MULTILINE)


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "1 March 2026"), ("fr", "1er mars 2026"), ("de", "1. März 2026")]
)
def test_a_date_is_written_as_the_language_does(locale, words):
    assert date_words(date(2026, 3, 1), locale) == words


@pytest.mark.parametrize("name", ["reason", "complaint", "remedy"])
@pytest.mark.parametrize("locale", LOCALES)
def test_F8_L11_a_refusal_cannot_be_saved_without_reason_complaint_and_remedy(locale, name):
    with pytest.raises(TemplateRejected, match=f"block '{name}' is mandatory"):
        check("ANSWER_REFUSED", locale, **{name: " \n"})


@pytest.mark.parametrize(
    ("code", "name", "needed"),
    [
        ("ANSWER_REFUSED", "complaint", "authority"),
        ("ANSWER_ERASED", "models", "models"),
        ("EXTENSION", "new_date", "new_due"),
        ("RECIPIENT_NOTICE", "acknowledge", "ack_url"),
        ("ACKNOWLEDGEMENT", "questions", "contact"),
        ("CONFIRM", "checkpoint", "checkpoint"),
    ],
)
def test_a_mandatory_block_must_say_what_it_is_there_for(code, name, needed):
    with pytest.raises(TemplateRejected, match=rf"'{name}' must have .*{{{needed}}}"):
        check(code, **{name: "Something else."})


@pytest.mark.parametrize("attack", ATTACKS)
def test_CVE_2024_45053_an_operators_text_can_carry_nothing_out(attack):
    with pytest.raises(TemplateRejected):
        check("ACKNOWLEDGEMENT", next=f"Hello {attack}")
    with pytest.raises(TemplateRejected):
        check("ACKNOWLEDGEMENT", subject=f"Hello {attack}")


def test_a_text_uses_only_placeholders_that_its_letter_knows():
    with pytest.raises(TemplateRejected, match=r"'next' has the placeholder {asked}"):
        check("ACKNOWLEDGEMENT", next="{asked}")
    with pytest.raises(TemplateRejected, match="no block 'footer'"):
        check("ACKNOWLEDGEMENT", footer="x")


@pytest.mark.parametrize("subject", ["", "a\nBcc: eve@example.org", "x" * 201, "{confirm_url}"])
def test_a_subject_is_one_line_without_links(subject):
    with pytest.raises(TemplateRejected, match="subject"):
        check("CONFIRM", subject=subject)


def test_a_letter_is_not_written_when_a_mandatory_block_has_nothing_to_say():
    values = {**sample_values("en"), "authority": ""}
    with pytest.raises(LetterIncomplete, match=r"ANSWER_REFUSED .* 'complaint': {authority} is"):
        lay_out("ANSWER_REFUSED", builtin_text("ANSWER_REFUSED", "en").blocks, values)


def test_M7_what_has_nothing_to_say_is_left_out_and_the_rest_stays():
    values = {
        **sample_values("en"),
        "places": (),
        "backups": (),
        "exceptions": (),
        "recipients": (),
    }
    body = filled_in(builtin_text("ANSWER_ERASED", "en"), values).body
    assert "Backups" not in body
    assert "left in these places" not in body
    assert "* example v1 was trained again" in body


@given(st.text(), st.text(alphabet="{}ab_ \n*"))
def test_a_value_is_never_read_again(value, text):
    try:
        names = placeholders_in(text)
    except BraceAlone:
        return
    filled = fill(text, dict.fromkeys(names, value))
    assert filled == re.sub(r"\{[a-z_]+\}", lambda _: value, text)
    laid = paragraphs_of(text, dict.fromkeys(names, value))
    assert all("\n" not in one.text for one in laid)


@given(st.text())
def test_a_header_is_one_line_of_what_can_be_seen(text):
    line = one_line(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
    assert line == one_line(line)


def test_a_text_is_wrapped_and_its_points_hang():
    blocks = "One\ntwo.\n\n* A point " + "that goes on " * 8 + "\n* Another"
    text = as_text(paragraphs_of(blocks, {}))
    assert text.startswith("One two.\n\n* A point that")
    assert "\n  on that goes" in text
    assert text.endswith("\n* Another\n")
