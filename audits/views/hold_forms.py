"""What is asked of whoever places a legal hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.forms import PlainForm
from audits.models import LegalHold
from audits.views.deciding_forms import long_text
from lineage.core.identifiers import IdentifierNotUsable, normalise
from lineage.models import Dataset

if TYPE_CHECKING:
    from datetime import date


class HoldForm(PlainForm):
    """A legal hold on a person or on a data set."""

    kind = forms.ChoiceField(
        label=_("What is held?"),
        choices=LegalHold.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Select what is held.")},
    )
    identifier = forms.CharField(
        label=_("The person's e-mail address or identifier"),
        help_text=_("It is looked up and not stored."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(), label=_("Or the data set"), required=False, empty_label=_("None")
    )
    basis = long_text(_("For which claim or proceeding?"), required=True)
    review_on = forms.DateField(
        label=_("On which day is it reviewed?"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={
            "required": _("Enter the day of review."),
            "invalid": _("Enter a day as YYYY-MM-DD."),
        },
    )

    def __init__(self, data: Any = None, *, today: date) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        self.today = today
        dataset: Any = self.fields["dataset"]
        dataset.queryset = Dataset.objects.order_by("name")

    def clean_review_on(self) -> date:
        """Accept a day to come."""
        day: date = self.cleaned_data["review_on"]
        if day <= self.today:
            raise forms.ValidationError(
                gettext("Enter a day after %(today)s; %(day)s is not.")
                % {"today": self.today, "day": day}
            )
        return day

    def clean(self) -> dict[str, Any]:
        """Have the one thing named that is held."""
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        if kind == LegalHold.Kind.DATASET:
            if not cleaned.get("dataset"):
                self.add_error("dataset", gettext("Select the data set."))
            cleaned["identifier"] = ""
        elif kind:
            cleaned["dataset"] = None
            try:
                normalise(kind, cleaned.get("identifier", ""))
            except IdentifierNotUsable as error:
                self.add_error("identifier", str(error))
        return cleaned
