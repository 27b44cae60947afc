"""What people type into the pages, checked and answered in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core import signing

from audits.models import ErasureRequest
from audits.services.requests import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lineage.models import ModelVersion

STAMP_SALT = "audits.form"
STAMP_HOURS = 24
TOO_FAST = "The form was sent within a moment of being opened. Please press the button once more."
TOO_OLD = "This page was open for too long. Please press the button once more."
TRAPPED = (
    "A hidden field was filled in, perhaps by your browser. It is empty again: please press the "
    "button once more."
)


class ErasureForm(forms.Form):
    """The one question of the public form, with two traps for machines.

    ``website`` is invisible, so that only a machine fills it in; ``stamp`` is the signed moment
    at which the page was made. Whoever falls into a trap by accident needs only to send again.
    """

    email = forms.EmailField(
        label="What is your e-mail address?",
        help_text="The address under which we may hold data about you. We use it to confirm this "
        "request and to answer it, and for nothing else.",
        max_length=254,
        error_messages={
            "required": "Enter your e-mail address.",
            "invalid": "Enter an e-mail address in the form name@example.org.",
            "max_length": "Enter an e-mail address of at most 254 characters.",
        },
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )
    website = forms.CharField(
        required=False,
        label="Leave this field empty",
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, now: datetime) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data, initial={"stamp": new_stamp(now)})
        self.now = now

    def clean(self) -> dict[str, Any]:
        """Refuse what a machine sent."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("website"):
            raise forms.ValidationError(TRAPPED)
        self._check_stamp(cleaned.get("stamp", ""))
        return cleaned

    def again(self) -> ErasureForm:
        """Return a fresh form for the page: the address is kept, the traps are set anew."""
        fresh = ErasureForm(now=self.now)
        fresh.initial["email"] = self.data.get("email", "")
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


class AcceptForm(forms.Form):
    """The ground of Art. 17(1) on which a request is accepted."""

    ground = forms.ChoiceField(
        label="On which ground is the data erased?",
        help_text="GDPR Art. 17(1). One ground is enough; it is stated in the sealed record.",
        choices=[choice for choice in ErasureRequest.Ground.choices if choice[0]],
        widget=forms.RadioSelect,
        error_messages={"required": "Select a ground.", "invalid_choice": "Select a ground."},
    )


class RefuseForm(forms.Form):
    """The coded reason for which a request is refused."""

    code = forms.ChoiceField(
        label="Why is the request refused?",
        help_text="The person is told this reason, and where to complain.",
        choices=list(REFUSALS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Select a reason.", "invalid_choice": "Select a reason."},
    )


class DestroyForm(forms.Form):
    """The name of a version, typed by hand, before it is destroyed."""

    name = forms.CharField(
        label="Type the name of the version to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type the name of the version."},
    )

    def __init__(self, data: Any = None, *, name: str) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        self.expected = name

    def clean_name(self) -> str:
        """Accept the very name only."""
        typed: str = self.cleaned_data["name"]
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected!r}; {typed!r} is another name.")
        return typed


class OutsideForm(forms.Form):
    """Which version, retrained outside and captured, takes the place of the affected one."""

    version = forms.ChoiceField(
        label="Which version replaces it?",
        help_text="Versions that were captured after the affected one, did not learn from any "
        "record of the forget set, and do not stand in for another version. It is checked again "
        "before it is used.",
        widget=forms.RadioSelect,
        error_messages={"required": "Select a version.", "invalid_choice": "Select a version."},
    )

    def __init__(self, data: Any = None, *, versions: Iterable[ModelVersion]) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        choices = [(str(version.pk), str(version)) for version in versions]
        self.fields["version"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
