"""The record of processing (Art. 30): as a page, as files, and the form of what staff say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from audits.core.processing import CONTACTS, FIELDS, REQUESTS, as_csv, as_json, as_markdown
from audits.core.processing_words import WORDS
from audits.core.roles import Right
from audits.forms import PlainErrors
from audits.models import ProcessingActivity
from audits.queries.page_words import spoken
from audits.queries.processing import NOBODY, described, processing_record
from audits.services.processing import describe_processing
from audits.services.rights import has_right
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.choices import labels_of
from audits.views.problems import problems
from audits.views.rights import needing
from lineage.models import Dataset, Location

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

    from audits.core.processing import Activity

FILES = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv"),
    "md": (as_markdown, "text/markdown"),
}


_EMPTY = _("Empty stays a gap.")


class ProcessingForm(PlainErrors, forms.ModelForm):  # type: ignore[type-arg]  # of one model
    """What the platform cannot know."""

    basis = forms.ChoiceField(
        label=_("Basis"),
        help_text=format_lazy("{}. {}", FIELDS["basis"], _EMPTY),
        choices=labels_of(ProcessingActivity.Basis),
        required=False,
    )

    class Meta:
        model = ProcessingActivity
        fields = tuple(FIELDS)
        labels: ClassVar[dict[str, StrOrPromise]] = {
            "purposes": _("Purposes"),
            "subjects": _("Categories of data subjects"),
            "data": _("Categories of personal data"),
            "recipients": _("Categories of recipients"),
            "transfers": _("Transfers to third countries"),
            "retention": _("Time limits for erasure"),
            "measures": _("Security measures"),
        }
        widgets: ClassVar[dict[str, forms.Widget]] = {
            name: forms.Textarea(attrs={"rows": 2}) for name in FIELDS if name != "basis"
        }
        help_texts: ClassVar[dict[str, StrOrPromise]] = {
            name: format_lazy("{}. {}", article, _EMPTY) for name, article in FIELDS.items()
        }


@require_safe
@staff_page
def processing(request: HttpRequest) -> HttpResponse:
    """Show the record with what is missing."""
    record = processing_record(now=timezone.now(), language=spoken())
    words = WORDS[spoken()]
    context = {
        "contacts": [(words[name], record.contacts[name]) for name in CONTACTS],
        "activities": [_shown(one) for one in record.activities],
        "gaps": [(one, words[one.field]) for one in record.gaps()],
        "forms": FILES,
        "languages": WORDS,
        "may_keep": has_right(staff_of(request), Right.REGISTER),
    }
    return page(request, "audits/processing.html", context)


@require_safe
@staff_page
def processing_file(request: HttpRequest, form: str) -> HttpResponse:
    """Return the record as a file, in the language of ``?language=``."""
    language = request.GET.get("language", "en")
    if form not in FILES or language not in WORDS:
        raise Http404
    write, kind = FILES[form]
    text = write(processing_record(now=timezone.now(), language=language))
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="processing.{language}.{form}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
def describe(request: HttpRequest, kind: str, target_id: UUID) -> HttpResponse:
    """Say what the platform cannot know of a data set or a place."""
    target = _target(kind, target_id)
    form = ProcessingForm(posted(request), instance=described(target))
    if form.is_valid():
        said = {name: form.cleaned_data[name] for name in FIELDS}
        describe_processing(target=target, said=said, user=staff_of(request), now=timezone.now())
        messages.success(
            request,
            gettext("The description of %(target)s is kept.") % {"target": target or REQUESTS},
        )
        return redirect("audits:processing")
    errors = problems(form)
    context = {"form": form, "errors": errors, "target": target or REQUESTS}
    return page(request, "audits/describe.html", context, status=400 if errors else 200)


def _target(kind: str, target_id: UUID) -> Dataset | Location | None:
    if kind == "dataset":
        return get_object_or_404(Dataset, pk=target_id)
    if kind == "place":
        return get_object_or_404(Location, pk=target_id)
    if (kind, target_id) == (REQUESTS, NOBODY):
        return None
    raise Http404


def _shown(activity: Activity) -> dict[str, object]:
    words = WORDS[spoken()]
    return {
        "activity": activity,
        "kind": activity.key.partition(":")[0],
        "fields": [
            (words[name], article, activity.fields[name]) for name, article in FIELDS.items()
        ],
    }
