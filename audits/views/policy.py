"""The policy values: what is in force and since when, and changes by two administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audits import workflow
from audits.core.policy_keys import SECTIONS, PolicyValueRefused
from audits.core.policy_kinds import NO, YES
from audits.core.roles import Right
from audits.queries.page_words import retold
from audits.queries.policy_page import (
    changes_so_far,
    consequences_of,
    fixed_values,
    sections_in_force,
    values_of,
)
from audits.queries.policy_values import held, version_in_force
from audits.services.policy_changes import PolicyChangeRefused
from audits.views.access import page, staff_of, staff_page
from audits.views.asking import posted
from audits.views.proving import proving
from audits.views.rights import may, needing

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from audits.core.policy_keys import PolicyKey
    from audits.models import PolicyChange
    from audits.queries.policy_page import Value

BACK = "_back"
BASED_ON = "based_on"
REFUSED = (PolicyChangeRefused, PolicyValueRefused)


class ProposalForm(forms.Form):
    """New values of one section. A value that is left as it is is no change.

    ``version`` is that of the policy whose ``values`` are shown: sent back later, what was left as
    it was would undo what was approved meanwhile.
    """

    def __init__(self, data: Any, *, values: list[Value], version: int) -> None:  # noqa: ANN401  (what was posted)
        super().__init__(data)
        self.values = values
        unknown = _("The form does not say which version of the policy it shows. Open it again.")
        self.fields[BASED_ON] = forms.IntegerField(
            initial=version,
            widget=forms.HiddenInput,
            error_messages={"required": unknown, "invalid": unknown},
        )
        for value in values:
            key = value.key
            self.fields[key.name] = _field(value)
            if value.version is not None:
                self.fields[key.name + BACK] = forms.BooleanField(
                    required=False,
                    label=_("%(title)s: back to what %(variable)s says")
                    % {"title": _(key.title), "variable": key.variable},
                )
        self.fields["reason"] = forms.CharField(
            label=_("Why"),
            help_text=_("Whoever approves it and auditors read this. Name nobody."),
            widget=forms.Textarea(attrs={"rows": 3}),
        )

    def clean(self) -> dict[str, Any]:
        """Refuse what a key refuses, at its field."""
        given: dict[str, Any] = super().clean() or {}
        for value in self.values:
            if value.key.name in given:
                try:
                    value.key.read(given[value.key.name])
                except PolicyValueRefused:
                    self.add_error(value.key.name, _refusal(value.key, given[value.key.name]))
        return given

    def said(self) -> dict[str, str | None]:
        """Return what was changed, by key."""
        found: dict[str, str | None] = {}
        for value in self.values:
            name = value.key.name
            if self.cleaned_data.get(name + BACK):
                found[name] = None
            elif self.cleaned_data[name] != value.text:
                found[name] = self.cleaned_data[name]
        return found


@require_safe
@staff_page
def policy(request: HttpRequest) -> HttpResponse:
    """Show every value, where it comes from, what waits and what was changed."""
    history = changes_so_far()
    waiting = next((one for one in history if one.change.state == "PROPOSED"), None)
    change = waiting.change if waiting else None
    context = {
        "sections": sections_in_force(),
        "fixed": fixed_values(),
        "history": [one for one in history if one is not waiting],
        "waiting": waiting,
        "consequences": consequences_of(change.changes, change.stored) if change else None,
        "is_mine": change is not None and change.proposed_by_id == staff_of(request).pk,
        "may_change": may(request, Right.ADMINISTER),
    }
    return page(request, "audits/policy.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.ADMINISTER)
def propose_policy(request: HttpRequest, section: str) -> HttpResponse:
    """Propose new values of one section."""
    if section not in SECTIONS:
        raise Http404
    with held():  # asked anew, after the version: values are never older than it says
        version = version_in_force()
        found = values_of(section)
    values = [value for value in found if not value.locked]
    form = ProposalForm(posted(request), values=values, version=version)
    errors: list[tuple[str, str]] = []
    if form.is_valid():
        try:
            change = workflow.propose_policy(
                said=form.said(),
                reason=form.cleaned_data["reason"],
                user=staff_of(request),
                based_on=form.cleaned_data[BASED_ON],
            )
        except REFUSED as error:
            errors = [("#form", retold(error))]
        else:
            messages.success(
                request,
                _("Change %(number)s is proposed. Another administrator approves it.")
                % {"number": change.number},
            )
            return redirect("audits:policy")
    errors += [(f"#id_{name}", str(text)) for name, said in form.errors.items() for text in said]
    context = {
        "form": form,
        "errors": errors,
        "section": SECTIONS[section],
        "locked": [value for value in found if value.locked],
        "consequences": consequences_of(value.key.name for value in values),
    }
    return page(request, "audits/propose_policy.html", context, status=400 if errors else 200)


@require_POST
@needing(Right.ADMINISTER)
@proving
def approve_policy(request: HttpRequest, number: int) -> HttpResponse:
    """Approve what another administrator proposed."""
    return _decide(
        request,
        lambda: workflow.approve_policy(number=number, user=staff_of(request)),
        _("Change %(number)s is in force.") % {"number": number},
    )


@require_POST
@needing(Right.ADMINISTER)
def return_policy(request: HttpRequest, number: int) -> HttpResponse:
    """Send a proposal back with a note."""
    note = request.POST.get("note", "")
    return _decide(
        request,
        lambda: workflow.return_policy(number=number, note=note, user=staff_of(request)),
        _("Change %(number)s is sent back.") % {"number": number},
    )


@require_POST
@needing(Right.ADMINISTER)
def withdraw_policy(request: HttpRequest, number: int) -> HttpResponse:
    """Take one's own proposal back."""
    return _decide(
        request,
        lambda: workflow.withdraw_policy(number=number, user=staff_of(request)),
        _("Change %(number)s is withdrawn.") % {"number": number},
    )


def _decide(request: HttpRequest, call: Callable[[], PolicyChange], done: str) -> HttpResponse:
    try:
        call()
    except REFUSED as error:
        messages.error(request, retold(error))
    else:
        messages.success(request, done)
    return redirect("audits:policy")


def _field(value: Value) -> forms.Field:
    key: PolicyKey = value.key
    if key.kind.choices:
        choices = [(word, _told(word)) for word in key.kind.choices]
        return forms.ChoiceField(
            label=_(key.title),
            help_text=_help(value),
            initial=value.text,
            choices=choices,
            required="" not in key.kind.choices,
        )
    return forms.CharField(
        label=_(key.title), help_text=_help(value), initial=value.text, required=False
    )


def _help(value: Value) -> str:
    return _("%(help)s Now: %(value)s (%(origin)s). Allowed: %(rule)s.") % {
        "help": _(value.key.help),
        "value": _told(value.text),
        "origin": _origin(value),
        "rule": _(value.key.kind.rule),
    }


def _told(text: str) -> str:
    return {"": _("nothing"), YES: _("yes"), NO: _("no")}.get(text, text)


def _origin(value: Value) -> str:
    return render_to_string("audits/_policy_origin.html", {"value": value})


def _refusal(key: PolicyKey, text: str) -> str:
    rule = {"name": key.name, "value": repr(text), "rule": _(key.kind.rule)}
    return _("%(name)s is %(value)s; it must be %(rule)s.") % rule
