"""The registers of recipients and of publications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from audits.core.roles import Right
from audits.forms import LongSelectMultiple, PlainErrors
from audits.models import Publication, Recipient
from audits.queries import registers
from audits.queries.told import unregistered_readers
from audits.services.recipients import EntryRefused, keep
from audits.services.rights import has_right
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.choices import CHOOSE, labels_of, locales
from audits.views.problems import problems
from audits.views.rights import needing

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse
    from django_stubs_ext import StrOrPromise

_LABELS = {
    "contact": _("Contact"),
    "locale": _("Language"),
    "datasets": _("Datasets"),
    "versions": _("Versions"),
    "since": _("Since"),
    "active": _("Active"),
}
_LISTS = {
    "datasets": _("Hold Ctrl or Cmd to choose several."),
    "versions": _("Hold Ctrl or Cmd to choose several."),
    "contact": _("May stay empty; then you tell them yourself and record it."),
    "locale": _("In which they are written to."),
}


class _EntryForm(PlainErrors, forms.ModelForm):  # type: ignore[type-arg]  # of two models
    """Fields that both registers have; versions are those that are not shadow models."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (as Django gives it)
        super().__init__(*args, **kwargs)
        shown: Any = self.fields
        shown["locale"].choices = locales
        shown["versions"].widget = LongSelectMultiple()
        shown["versions"].queryset = registers.deployable()
        shown["since"].widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class RecipientForm(_EntryForm):
    """A recipient, a processor or a joint controller, and what they received."""

    role = forms.ChoiceField(label=_("Role"), choices=labels_of(Recipient.Role))

    class Meta:
        model = Recipient
        fields = (
            "name",
            "role",
            "contract_ref",
            "contact",
            "locale",
            "datasets",
            "versions",
            "api_reader",
            "since",
            "active",
        )
        labels: ClassVar[dict[str, StrOrPromise]] = {
            **_LABELS,
            "name": _("Name"),
            "contract_ref": _("Contract"),
            "api_reader": _("Name of their API keys"),
        }
        help_texts: ClassVar[dict[str, StrOrPromise]] = {
            **_LISTS,
            "contract_ref": _("A processor needs one (Art. 28(3))."),
            "api_reader": _("What is fetched with API keys of this name counts as received."),
        }

    def clean(self) -> dict[str, Any]:
        """Want the contract of a processor."""
        cleaned = super().clean() or self.cleaned_data
        processor = cleaned.get("role") == Recipient.Role.PROCESSOR
        if processor and not cleaned.get("contract_ref"):
            self.add_error(
                "contract_ref", gettext("Name the contract of a processor (Art. 28(3)).")
            )
        return cleaned


class PublicationForm(_EntryForm):
    """A place at which something was made public."""

    where = forms.ChoiceField(
        label=_("Where"), choices=lambda: [("", CHOOSE), *labels_of(Publication.Where)]
    )

    class Meta:
        model = Publication
        fields = (
            "where",
            "address",
            "contact",
            "locale",
            "steps",
            "datasets",
            "versions",
            "since",
            "active",
        )
        labels: ClassVar[dict[str, StrOrPromise]] = {
            **_LABELS,
            "address": _("Address"),
            "steps": _("Steps"),
        }
        help_texts: ClassVar[dict[str, StrOrPromise]] = {
            **_LISTS,
            "steps": _(
                "Which reasonable steps inform others who process it there, given the technology "
                "and the cost (Art. 17(2))."
            ),
        }


@require_safe
@staff_page
def recipients(request: HttpRequest) -> HttpResponse:
    """List who received data sets or versions, and who fetched versions without standing here."""
    context = {
        "rows": registers.recipients(),
        "strangers": unregistered_readers(),
        "may_keep": has_right(staff_of(request), Right.REGISTER),
    }
    return page(request, "audits/recipients.html", context)


@require_safe
@staff_page
def publications(request: HttpRequest) -> HttpResponse:
    """List where data sets or versions were made public."""
    may_keep = has_right(staff_of(request), Right.REGISTER)
    context = {"rows": registers.publications(), "may_keep": may_keep}
    return page(request, "audits/publications.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
def recipient(request: HttpRequest, entry_id: UUID | None = None) -> HttpResponse:
    """Enter or change a recipient."""
    entry = get_object_or_404(Recipient, pk=entry_id) if entry_id else Recipient()
    form = RecipientForm(posted(request), instance=entry)
    names = gettext("Recipient"), gettext("Recipients")
    return _kept(request, form, "audits:recipients", *names)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
def publication(request: HttpRequest, entry_id: UUID | None = None) -> HttpResponse:
    """Enter or change a publication."""
    entry = get_object_or_404(Publication, pk=entry_id) if entry_id else Publication()
    form = PublicationForm(posted(request), instance=entry)
    names = gettext("Publication"), gettext("Publications")
    return _kept(request, form, "audits:publications", *names)


def _kept(
    request: HttpRequest, form: _EntryForm, back: str, what: str, every: str
) -> HttpResponse:
    user = staff_of(request)
    if form.is_valid():
        given = form.cleaned_data
        try:
            entry = keep(
                entry=form.instance,
                datasets=given["datasets"],
                versions=given["versions"],
                user=user,
            )
        except EntryRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, gettext("%(entry)s is kept in the register.") % {"entry": entry}
            )
            return redirect(back)
    errors = problems(form, "datasets")
    context = {"form": form, "errors": errors, "back": back, "what": what, "every": every}
    return page(request, "audits/register_entry.html", context, status=400 if errors else 200)
