"""The texts of letters: list them, edit one, see how it reads, publish it."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audits import workflow
from audits.core.letter_layout import LetterIncomplete
from audits.core.letter_rules import (
    LOCALES,
    PLACEHOLDERS,
    RULES,
    TemplateRejected,
    check_template,
)
from audits.core.roles import Right
from audits.queries.letter_samples import sample_values
from audits.queries.letter_texts import builtin_text, current_text, versions_of
from audits.services.letter_writing import filled_in
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.letter_forms import LetterForm
from audits.views.rights import may, needing

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest, HttpResponse


@require_safe
@staff_page
def letter_texts(request: HttpRequest) -> HttpResponse:
    """List every letter in every language, with the version in use."""
    languages, now = list(LOCALES.items()), timezone.now()
    rows = [
        (code, rule.title, [(*one, current_text(code, one[0], now).version) for one in languages])
        for code, rule in RULES.items()
    ]
    context = {
        "rows": rows,
        "locales": languages,
        "may_administer": may(request, Right.ADMINISTER),
    }
    return page(request, "audits/letter_texts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ADMINISTER)
def letter_text(request: HttpRequest, locale: str, code: str) -> HttpResponse:
    """Edit a text; ``preview`` shows how it reads, ``publish`` makes it the next version."""
    user = staff_of(request)
    _must_exist(locale, code)
    form = LetterForm(posted(request), text=current_text(code, locale, timezone.now()))
    shown, errors = None, []
    if form.is_bound and form.is_valid():
        try:
            if request.POST.get("action") == "publish":
                kept = workflow.publish_letter(
                    text=form.typed(), active_from=_moment(form.from_day()), user=user
                )
                messages.success(request, f"Version {kept.version} was published.")
                return redirect("audits:letter_text", locale=locale, code=code)
            shown = _preview(form)
        except (TemplateRejected, LetterIncomplete) as error:
            errors = [("#id_subject", str(error))]
    errors += [(f"#id_{name}", str(one)) for name, said in form.errors.items() for one in said]
    context = _context(form, locale, code) | {"shown": shown, "errors": errors}
    return page(request, "audits/letter_text.html", context, status=400 if errors else 200)


@require_POST
@needing(Right.ADMINISTER)
def letter_builtin(request: HttpRequest, locale: str, code: str) -> HttpResponse:
    """Use the built-in text again."""
    _must_exist(locale, code)
    workflow.restore_letter(code=code, locale=locale, user=staff_of(request))
    messages.success(request, "The built-in text is used again.")
    return redirect("audits:letter_text", locale=locale, code=code)


def _preview(form: LetterForm) -> dict[str, str]:
    text = form.typed()
    check_template(
        code=text.code, locale=text.locale, subject=text.subject.strip(), blocks=text.blocks
    )
    written = filled_in(text, sample_values(text.locale))
    return {"subject": written.subject, "body": written.body}


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
