"""The texts of letters: list them, edit one, see how it reads, ask once more, publish it."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.core.letter_checks import TemplateRejected, check_template
from audits.core.letter_layout import LetterIncomplete
from audits.core.letter_rules import LOCALES, PLACEHOLDERS, RULES
from audits.core.roles import Right
from audits.queries.letter_samples import sample_values
from audits.queries.letter_texts import (
    builtin_text,
    current_text,
    versions_in_use,
    versions_of,
)
from audits.queries.page_words import beside_label
from audits.services.letter_writing import filled_in
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.letter_forms import LetterForm
from audits.views.problems import problems
from audits.views.rights import may, needing
from lineage.core.worded import Worded

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest, HttpResponse


@require_safe
@staff_page
def letter_texts(request: HttpRequest) -> HttpResponse:
    """List every letter in every language, with the version in use."""
    languages, used = list(LOCALES.items()), versions_in_use(timezone.now())
    rows = [
        (code, rule.title, [(*one, used.get((code, one[0]), 0)) for one in languages])
        for code, rule in RULES.items()
    ]
    context = {
        "rows": rows,
        "locales": languages,
        "own": any(version for _, _, texts in rows for _, _, version in texts),
        "may_administer": may(request, Right.ADMINISTER),
    }
    return page(request, "audits/letter_texts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ADMINISTER)
def letter_text(request: HttpRequest, locale: str, code: str) -> HttpResponse:
    """Edit a text; ``preview`` shows how it reads, ``publish`` asks, ``confirmed`` publishes."""
    _must_exist(locale, code)
    form = LetterForm(posted(request), text=current_text(code, locale, timezone.now()))
    action = request.POST.get("action", "")
    shown = _preview(form) if action and action != "edit" and form.is_valid() else None
    context = _context(form, locale, code) | {"shown": shown}
    if shown and action == "publish":
        return page(request, "audits/letter_publish.html", context)
    if shown and action == "confirmed" and _published(request, form):
        return redirect("audits:letter_text", locale=locale, code=code)
    errors = problems(form)
    context |= {"errors": errors}
    return page(request, "audits/letter_text.html", context, status=400 if errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ADMINISTER)
def letter_builtin(request: HttpRequest, locale: str, code: str) -> HttpResponse:
    """Ask once more, then use the built-in text again."""
    _must_exist(locale, code)
    if request.method != "POST":
        form = LetterForm(None, text=builtin_text(code, locale))
        return page(request, "audits/letter_builtin.html", _context(form, locale, code))
    workflow.restore_letter(code=code, locale=locale, user=staff_of(request))
    messages.success(request, _("The built-in text is used again."))
    return redirect("audits:letter_text", locale=locale, code=code)


def _published(request: HttpRequest, form: LetterForm) -> bool:
    try:
        kept = workflow.publish_letter(
            text=form.typed(), active_from=_moment(form.from_day()), user=staff_of(request)
        )
    except TemplateRejected as error:
        _refuse(form, error)
        return False
    messages.success(request, _("Version %(number)s was published.") % {"number": kept.version})
    return True


def _preview(form: LetterForm) -> dict[str, str] | None:
    """Return how the typed text reads; None, with what is wrong in the form, if it cannot be."""
    text = form.typed()
    try:
        check_template(
            code=text.code, locale=text.locale, subject=text.subject.strip(), blocks=text.blocks
        )
        written = filled_in(text, sample_values(text.locale))
    except (TemplateRejected, LetterIncomplete) as error:
        _refuse(form, error)
        return None
    return {"subject": written.subject, "body": written.body}


def _refuse(form: LetterForm, error: TemplateRejected | LetterIncomplete) -> None:
    sentence = str(error)
    if isinstance(sentence, Worded):  # it stands beside the name of the block
        told = sentence.values.get("error", sentence)
        sentence = beside_label(sentence) if sentence.field else told
    form.add_error(
        f"block_{error.part}" if error.part not in ("", "subject") else "subject", sentence
    )


def _context(form: LetterForm, locale: str, code: str) -> dict[str, Any]:
    builtin = builtin_text(code, locale)
    return {
        "form": form,
        "blocks": [
            {
                "field": field,
                "builtin": builtin.blocks[name],
                "differs": _plain(field.value()) != _plain(builtin.blocks[name]),
            }
            for name, field in form.blocks()
        ],
        "builtin_subject": builtin.subject,
        "code": code,
        "title": RULES[code].title,
        "locale": locale,
        "language": LOCALES[locale],
        "in_use": form.text.version,
        "next": (versions_of(code, locale).first() or form.text).version + 1,
        "from_day": form.from_day() if form.is_bound and form.is_valid() else None,
        "versions": versions_of(code, locale).select_related("created_by"),
        "placeholders": [(name, PLACEHOLDERS[name]) for name in RULES[code].allowed],
    }


def _plain(text: object) -> str:
    return " ".join(str(text or "").split())


def _moment(day: date | None) -> datetime | None:
    zone = ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)
    return datetime.combine(day, time(), tzinfo=zone) if day else None


def _must_exist(locale: str, code: str) -> None:
    if locale not in LOCALES or code not in RULES:
        raise Http404
