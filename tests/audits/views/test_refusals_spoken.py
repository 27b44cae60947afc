"""What forms refuse is said in the language of the reader, whoever built the sentence."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.test import Client
from django.utils import timezone, translation

from audits.queries.page_words import beside_label, retold
from audits.views.intake_forms import AnswerForm
from audits.views.public_forms import AgainstForm, EmailForm, KindForm, SeenForm
from lineage.core.worded import long_day, not_among, worded, worded_of
from tests.audits.views import worlds
from tests.audits.views.public_tour import asked_for_more
from tests.audits.views.visits import CHECK, EMAIL_PAGE, KIND, MORE, filled
from tests.audits.world import member

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("de", "fr")
HEAD = {"kind": "ERASURE", "answer_by": "", "method": "", "level": "LOW", "received_time": "12:00"}


def wrong_values(field: forms.Field) -> Iterator[str]:
    """Everything that a field refuses, drawn from what it declares."""
    if field.required:
        yield ""
    if isinstance(field, forms.ChoiceField):
        yield "no such choice"
    if isinstance(field, forms.EmailField):
        yield "nobody"
    if most := getattr(field, "max_length", None):
        yield "x" * (most + 1)
    if isinstance(field, forms.CharField) and not isinstance(field.widget, forms.HiddenInput):
        yield "a\0b"


def wrong_answers(form: type[forms.Form], usual: dict[str, str]) -> Iterator[dict[str, str]]:
    """What was typed, with one field wrong at a time."""
    for name, field in form.base_fields.items():
        for value in wrong_values(field):
            yield {**usual, name: value}


def public_posts(client: Client, answer: str) -> Iterator[Any]:
    """What every public form answers to everything that it refuses."""
    for typed in wrong_answers(KindForm, {}):
        yield client.post(KIND, typed)
    client.get("/erasure/objection/")
    for typed in wrong_answers(AgainstForm, {}):
        yield client.post(MORE, typed)
    client.get("/erasure/output/")
    for typed in wrong_answers(SeenForm, {}):
        yield client.post(MORE, typed)
    client.get("/erasure/erase/")
    for typed in wrong_answers(EmailForm, filled()):
        yield client.post(EMAIL_PAGE, typed)
    client.post(EMAIL_PAGE, filled())
    yield client.post(CHECK, filled(website="x"))
    yield client.post(CHECK, filled(stamp="old"))
    yield client.post(answer, {})
    for typed in wrong_answers(AnswerForm, {}):
        yield client.post(answer, typed)


def staff_posts(client: Client) -> Iterator[Any]:
    """Refusals of services behind forms of staff, each about a field, a value or a case."""
    today = timezone.now().date()
    entered = {**HEAD, "channel": "POST", "email": worlds.EMAIL}
    for change in (
        {"received_date": today + timedelta(days=2)},
        {"received_date": today - timedelta(days=200)},
        {"received_date": "1970-01-01", "old_confirmed": "on"},
        {"received_date": today - timedelta(days=1), "email": ""},
        {"received_date": today - timedelta(days=1), "mandate_seen": "on"},
        {"received_date": today - timedelta(days=1), "answer_by": "LETTER"},
    ):
        yield client.post("/cases/enter/", {**entered, **change})
    place = {"slug": "a", "purpose": "shop", "category": "DATA", "set_url_from": "SHOP_URL"}
    place |= {"set_table": "t", "set_column": "c"}
    for change in ({"set_table": "x y"}, {"set_url_from": "x y"}, {"set_mask": "name"}):
        yield client.post("/places/new/sql_table/", {**place, **change})
    yield client.get("/registers/cases/", {"since": "soon"})


def said(responses: Iterator[Any], language: str) -> list[list[str]]:
    found = []
    for response in responses:
        assert response.headers["Content-Language"] == language
        shown = response.context.get("errors", [])
        refused = response.context.get("refused", "")
        found.append([sentence for _, sentence in shown] + [refused] * bool(refused))
    return found


def speaking(language: str, client: Client | None = None) -> Client:
    client = client or Client()
    client.get("/erasure/", {"lang": language})
    return client


def nothing_english(english: list[list[str]], told: list[list[str]]) -> None:
    assert [len(one) for one in told] == [len(one) for one in english]
    assert all(english), english
    both = {one for each in english for one in each} & {one for each in told for one in each}
    assert both == set()


def test_a_sentence_remembers_of_what_it_was_made_through_an_error():
    day = long_day(date(2030, 3, 1))
    error = ValueError(worded("Nobody has %(what)s since %(day)s.", what="it", day=day))
    assert str(error) == "Nobody has it since 1 March 2030."
    assert retold(ValueError(worded_of("email", "It is empty."))) == "email is empty."
    with translation.override("de"):
        assert retold(error) == "Nobody has it since 1. März 2030.", "no catalogue has it"
        told = retold(
            worded("Case %(case)s: the restriction ends on %(day)s.", case="ER-1", day=day)
        )
        assert told == "Fall ER-1: Die Einschränkung endet am 1. März 2030."
        at_field = not_among("reason", "x", ["A", "B"])
        assert retold(at_field) == "reason: 'x' ist nicht erlaubt; erlaubt sind A, B."
        assert beside_label(at_field) == "'x' ist nicht erlaubt; erlaubt sind A, B."


def test_no_public_form_refuses_in_english():
    answer = asked_for_more()
    english = said(public_posts(speaking("en"), answer), "en")
    for language in LANGUAGES:
        nothing_english(english, said(public_posts(speaking(language), answer), language))


def test_no_form_of_staff_refuses_in_english():
    head = Client()
    head.force_login(member("head", "Case officer", "Administrator"))
    english = said(staff_posts(speaking("en", head)), "en")
    for language in LANGUAGES:
        told = said(staff_posts(speaking(language, head)), language)
        nothing_english(english, told)
        assert not [one for each in told for one in each if " is " in one or "allowed" in one]
