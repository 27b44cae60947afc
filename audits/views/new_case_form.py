"""What an operator's own case begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.forms import PlainForm
from audits.models import OperatorCase
from audits.queries import named_records
from audits.services.operator_cases import NewCase
from lineage.core.ordinal_list import OrdinalsUnreadable
from lineage.models import Dataset, ModelVersion

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace


class RecordsField(forms.CharField):
    """Numbers and ranges of records, as a set."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:  # noqa: ANN401  (Django's signature)
        """Read the list."""
        try:
            return named_records.listed(super().clean(value))
        except OrdinalsUnreadable as error:
            raise forms.ValidationError(str(error)) from error


class NewCaseForm(PlainForm):
    """What an operator's own case begins with."""

    reason = forms.ChoiceField(
        label=_("Why should records leave the training?"),
        choices=OperatorCase.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Select a reason."),
            "invalid_choice": _("Select a reason."),
        },
    )
    version = forms.ModelChoiceField(
        ModelVersion.objects.none(),
        required=False,
        label=_("Which version learned from them?"),
        help_text=_(
            "Its training records are scored by how far they support the records that you "
            "name. Without a version only the records that you name are taken."
        ),
        empty_label=_("No version: take the records alone"),
    )
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        required=False,
        label=_("Which data set are they in?"),
        help_text=_("Needed where no version is chosen."),
        empty_label=_("That of the version"),
    )
    records = RecordsField(
        required=False,
        label=_("Which records do you suspect?"),
        help_text=_(
            "Numbers and ranges, such as 3, 7, 10-19. At least three that were trained on, "
            "for others to be found."
        ),
    )
    file = forms.FileField(
        required=False,
        label=_("Or a file with their numbers"),
        help_text=_("A text file, one or more a line."),
    )
    people = forms.CharField(
        required=False,
        label=_("Or the people whose records they are"),
        help_text=_(
            "An e-mail address or an identifier of the source, one a line. They are looked "
            "up and not stored."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
    disposal = forms.ChoiceField(
        label=_("What becomes of the records?"),
        help_text=_("Kept apart, they can be looked at again, and no training is given them."),
        choices=OperatorCase.Disposal.choices,
        initial=OperatorCase.Disposal.KEEP,
        widget=forms.RadioSelect,
        error_messages={"required": _("Select what becomes of them.")},
    )
    confirm = forms.CharField(
        required=False,
        label=_("To have them deleted, type DELETE"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:  # noqa: ANN401  (a request's)
        super().__init__(data, files)
        usable = ModelVersion.objects.filter(
            kind=ModelVersion.Kind.MODEL, state=ModelVersion.State.ACTIVE
        )
        version: Any = self.fields["version"]
        version.queryset = usable.order_by("model_name", "-version")
        dataset: Any = self.fields["dataset"]
        dataset.queryset = Dataset.objects.select_related("space").order_by("name")

    def clean(self) -> dict[str, Any]:
        """Look up what was named."""
        cleaned = super().clean() or self.cleaned_data
        deleting = cleaned.get("disposal") == OperatorCase.Disposal.DELETE
        if deleting and cleaned.get("confirm") != "DELETE":
            self.add_error("confirm", gettext("Type DELETE, or choose to keep the records apart."))
        try:
            cleaned["space"] = self._space()
            cleaned["seeds"] = self._seeds(cleaned["space"])
        except named_records.NOT_NAMED as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned

    def new_case(self) -> NewCase:
        """Return what the form says."""
        names = ("reason", "disposal", "space", "version", "seeds")
        return NewCase(**{name: self.cleaned_data[name] for name in names})

    def _space(self) -> OrdinalSpace:
        dataset: Dataset | None = self.cleaned_data.get("dataset")
        if version := self.cleaned_data.get("version"):
            return named_records.space_of(version, dataset)
        if dataset:
            return dataset.space
        raise forms.ValidationError(
            gettext("Choose a version, or the data set that the records are in.")
        )

    def _seeds(self, space: OrdinalSpace) -> BitMap:
        named: BitMap = self.cleaned_data.get("records") or named_records.listed("")
        if file := self.cleaned_data.get("file"):
            named |= named_records.listed(file.read().decode(errors="replace"))
        named |= named_records.of_people(space, self.cleaned_data.get("people", ""))
        if not named and "records" not in self.errors:
            raise forms.ValidationError(
                gettext("Name at least one record, a file of them, or a person.")
            )
        return named
