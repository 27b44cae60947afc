"""The questions of the public pages, one form a page, and two traps for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from audits.forms import PlainForm
from audits.views.intake_forms import MARKETING, Kind, radios, text

if TYPE_CHECKING:
    from datetime import datetime

    from audits.forms import Words

STAMP_SALT = "audits.form"
STAMP_HOURS = 24
TOO_FAST = _(
    "The form was sent within a moment of being opened. Please press the button once more."
)
TOO_OLD = _("This page was open for too long. Please press the button once more.")
TRAPPED = _(
    "A hidden field was filled in, perhaps by your browser. It is empty again: please press the "
    "button once more."
)
# What a person may ask for, in the order of the pages, in words that need no law.
ASKED: dict[str, Words] = {
    Kind.ERASURE: _("Erase my data"),
    Kind.CONSENT: _("Withdraw my consent"),
    Kind.OBJECTION: _("Object to the use of my data"),
    Kind.RESTRICTION: _("Keep my data, but stop using it"),
    Kind.SEEN_IN_OUTPUT: _("I saw my data in an answer of one of your models"),
}
# The same and the one choice within it, as the answers are repeated.
WORDS: dict[str, Words] = {**ASKED, MARKETING: _("Object to direct marketing")}
ADVERTISING: dict[str, Words] = {
    MARKETING: _("Direct marketing: advertising that is addressed to me"),
    Kind.OBJECTION: _("Something else"),
}


class TrapForm(forms.Form):
    """Two traps for machines.

    ``website`` is invisible, so that only a machine fills it in; ``stamp`` is the signed moment
    at which the page was made. Whoever falls into a trap by accident needs only to send again.
    """

    website = forms.CharField(
        required=False,
        label=_("Leave this field empty"),
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)
    proof = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, now: datetime, **initial: str) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data, initial={"stamp": new_stamp(now), **initial})
        self.now = now

    def clean(self) -> dict[str, Any]:
        """Refuse what a machine sent."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("website"):
            raise forms.ValidationError(TRAPPED)
        self._check_stamp(cleaned.get("stamp", ""))
        return cleaned

    def again(self) -> TrapForm:
        """Return a fresh form for the page: what was typed is kept, the traps are set anew."""
        typed = {name: self.data[name] for name in ("email",) if name in self.data}
        fresh = type(self)(now=self.now, **typed)
        # The moment of the first opening counts, so that somebody who is quick waits only once.
        if age_of_stamp(self.data.get("stamp", ""), self.now) is not None:
            fresh.initial["stamp"] = self.data["stamp"]
        return fresh

    def _check_stamp(self, stamp: str) -> None:
        age = age_of_stamp(stamp, self.now)
        if age is None:
            raise forms.ValidationError(TOO_OLD)
        if age < settings.EXPUNGE_FORM_MIN_SECONDS:
            raise forms.ValidationError(TOO_FAST)


class EmailForm(TrapForm):
    """The one thing that we need."""

    email = forms.EmailField(
        label=_("What is your e-mail address?"),
        help_text=_(
            "The address under which we may hold data about you. We use it to confirm this "
            "request and to answer it, and for nothing else."
        ),
        max_length=254,
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address in the form name@example.org."),
            "max_length": _("Enter an e-mail address of at most 254 characters."),
        },
    )


class KindForm(forms.Form):
    """What the person wants."""

    kind = radios(_("What do you want us to do?"), ASKED)


class AgainstForm(forms.Form):
    """What an objection is to; direct marketing ends without any weighing (Art. 21(3) GDPR)."""

    kind = radios(
        _("What do you object to?"),
        ADVERTISING,
        help_text=_(
            "We must stop direct marketing at once. Anything else is weighed against our reasons."
        ),
    )


class SeenForm(PlainForm):
    """What was seen in an output, as far as the person can say."""

    description = text(
        _("What did you see, and where?"),
        help_text=_(
            "For instance what you entered and what came back. You may leave this empty. We "
            "delete it once you are answered."
        ),
        rows=6,
        most=2000,
    )
    model_name = text(_("Which model or service was it, if you know?"))


def new_stamp(now: datetime) -> str:
    """Return a signed statement that a form was opened at ``now``."""
    return signing.dumps(now.timestamp(), salt=STAMP_SALT)


def age_of_stamp(stamp: str, now: datetime) -> float | None:
    """Return the seconds since a form was opened; None for a stamp that is not ours or is old."""
    try:
        opened = float(signing.loads(stamp, salt=STAMP_SALT, max_age=STAMP_HOURS * 3600))
    except signing.BadSignature:
        return None
    return now.timestamp() - opened
