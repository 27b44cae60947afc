"""What members of staff write when they propose or return, answered in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.forms import formset_factory
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.core.assessment import LONGEST_PLACE, Assessed, Excepted, Ground
from audits.core.grounds import EXCEPTIONS, GROUNDS, OVERRULED, REFUSALS
from audits.forms import PlainForm, spoken
from audits.models import ErasureRequest
from audits.views.problems import problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from audits.forms import Words
    from lineage.models import Dataset

GROUND_ROWS, EXCEPTION_ROWS = 3, 2
CHOOSE, NOTHING = ("", _("Choose one")), ("", _("None"))
NO_GROUND = _("Select a ground.")
FIRST = "#id_ground-0-code"
NUMBERED = {"ground": "Ground %(number)s", "exception": "Exception %(number)s"}


def long_text(label: Words, help_text: Words = "", *, required: bool = False) -> forms.CharField:
    """Several rows of text."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write a sentence.")},
    )


class GroundForm(PlainForm):
    """One ground of Art. 17(1) for one purpose; a row without a ground is left out."""

    code = forms.ChoiceField(
        label=_("Ground"),
        required=False,
        choices=[CHOOSE, *spoken(one for one in ErasureRequest.Ground.choices if one[0])],
    )
    purpose = forms.CharField(
        label=_("For which purpose was the data used?"), required=False, max_length=200
    )
    assessment = long_text(_("Why does the ground apply?"))
    other_ground = long_text(
        _("Is there another legal ground for this purpose?"),
        _("Needed for consent (b) and objection (c): if there is, the data may have to stay."),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a ground that is not complete."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("code"):
            _say(lambda: Ground(**cleaned).check(GROUNDS))
        elif any(cleaned.values()):
            raise forms.ValidationError(
                gettext("Select a ground for what you wrote, or clear it.")
            )
        return cleaned


class ExceptionForm(PlainForm):
    """One exception of Art. 17(3); a row without one is left out."""

    code = forms.ChoiceField(
        label=_("Exception"), required=False, choices=[NOTHING, *spoken(EXCEPTIONS.items())]
    )
    dataset = forms.ChoiceField(label=_("Data set whose records are kept apart"), required=False)
    place = forms.CharField(
        label=_("Or a purpose or place outside the data sets"),
        help_text=_(
            "It is written down and told to the person; whoever keeps that place heeds it."
        ),
        required=False,
        max_length=LONGEST_PLACE,
    )
    basis = long_text(_("Which law or claim is it based on?"))
    scope = long_text(_("What is kept, and no more than needed?"))
    until = forms.DateField(
        label=_("Until which day?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a day as YYYY-MM-DD.")},
    )

    def __init__(self, *args: Any, datasets: Iterable[Dataset], today: date, **kw: Any) -> None:  # noqa: ANN401  (a form's)
        super().__init__(*args, **kw)
        self.today = today
        named = [(str(one.pk), one.name) for one in datasets]
        self.fields["dataset"].choices = [NOTHING, *named]  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Refuse an exception that is not complete."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("code"):
            if any(cleaned.values()):
                raise forms.ValidationError(
                    gettext("Select an exception for what you wrote, or clear it.")
                )
            return cleaned
        if not cleaned.get("until"):
            raise forms.ValidationError(
                gettext("An exception needs its last day: what is kept is erased after it.")
            )
        _say(lambda: self.excepted().check(self.today))
        return cleaned

    def excepted(self) -> Excepted:
        """Return what the row says."""
        dataset = self.cleaned_data.get("dataset")
        named = {**self.cleaned_data, "dataset": UUID(dataset) if dataset else None}
        return Excepted(**named)


class PositionForm(PlainForm):
    """What may be noted with any decision."""

    position = long_text(
        _("Your organisation's own legal view, if it took one"),
        _("For instance on whether a model holds personal data. It changes nothing that is done."),
    )


GroundRows = formset_factory(GroundForm, extra=GROUND_ROWS)
ExceptionRows = formset_factory(ExceptionForm, extra=EXCEPTION_ROWS)


class AcceptForms:
    """The page on which an acceptance is proposed: grounds, exceptions, and a note."""

    def __init__(self, data: Any, *, datasets: Iterable[Dataset], today: date) -> None:  # noqa: ANN401  (request.POST)
        self.grounds = GroundRows(data, prefix="ground")
        more = {"datasets": list(datasets), "today": today}
        self.exceptions = ExceptionRows(data, prefix="exception", form_kwargs=more)
        self.note = PositionForm(data)
        self.missing: Words = ""

    @property
    def parts(self) -> list[Any]:
        """Every form of the page, in the order in which it is read."""
        return [*self.grounds, *self.exceptions, self.note]

    def is_valid(self) -> bool:
        """Return whether all of it is complete, with at least one ground."""
        if not self.note.is_bound:
            return False
        if not self._whole():
            self.missing = NO_GROUND
            return False
        valid = [one.is_valid() for one in (self.grounds, self.exceptions, self.note)]
        if all(valid) and not self._found():
            self.missing = NO_GROUND
        return all(valid) and not self.missing

    def _whole(self) -> bool:
        """Return whether a browser sent the page: a formset names how many rows it has."""
        return all(one.management_form.is_valid() for one in (self.grounds, self.exceptions))

    def errors(self) -> list[tuple[str, str]]:
        """Return where something is wrong, and what."""
        found = [(FIRST, str(self.missing))] if self.missing else []
        for form in self.parts if self.note.is_bound and self._whole() else ():
            kind, _dash, row = (form.prefix or "").partition("-")
            named = f"{gettext(NUMBERED[kind]) % {'number': int(row) + 1}}. " if row else ""
            found += [(place, f"{named}{sentence}") for place, sentence in problems(form)]
        return found

    def assessed(self) -> Assessed:
        """Return what the page says."""
        return Assessed(
            grounds=tuple(Ground(**row) for row in self._found()),
            excepted=tuple(
                form.excepted() for form in self.exceptions if form.cleaned_data.get("code")
            ),
            position=self.note.cleaned_data["position"],
        )

    def _found(self) -> list[dict[str, str]]:
        return [row for form in self.grounds if (row := form.cleaned_data).get("code")]


class RefuseForm(PositionForm):
    """The coded reason for which a request is refused, and what it rests on."""

    code = forms.ChoiceField(
        label=_("Why is the request refused?"),
        help_text=_("The person is told this reason, and where to complain."),
        choices=[one for one in REFUSALS.items() if one[0] != OVERRULED],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Select a reason."),
            "invalid_choice": _("Select a reason."),
        },
    )
    assessment = long_text(_("Why does this reason apply to all that is held?"), required=True)
    evidence = long_text(
        _("If manifestly unfounded or excessive: what shows it?"),
        _(
            "40 characters or more. The burden of proof is the controller's, and a second person "
            "decides whatever the settings say."
        ),
    )
    field_order = ("code", "assessment", "evidence", "position")

    def clean(self) -> dict[str, Any]:
        """Refuse a reason that needs evidence without it."""
        cleaned = super().clean() or self.cleaned_data
        if code := cleaned.get("code"):
            _say(lambda: self.assessed().check_refusal(code))
        return cleaned

    def assessed(self) -> Assessed:
        """Return what the form says."""
        names = ("assessment", "evidence", "position")
        return Assessed(**{name: self.cleaned_data.get(name, "") for name in names})


class ReturnForm(PlainForm):
    """Why a proposed decision is sent back."""

    note = long_text(_("What has to change?"), required=True)


def _say(check: Callable[[], None]) -> None:
    try:
        check()
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
