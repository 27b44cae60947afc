"""What is asked about a request by staff who enter one, and by a person asked for more."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.core.grounds import RESTRICTIONS
from audits.core.identity import DOUBTS, LEVELS, METHODS, NOT_IDENTIFIED, Check
from audits.forms import PlainForm
from audits.models import ErasureRequest, Intake
from audits.services.entering import CHANNELS, Agent, Entry
from audits.services.reasons import SHORTEST_REASON
from audits.services.receiving import Told, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.forms import Words

Kind = ErasureRequest.Kind
MARKETING = "MARKETING"  # an objection of its own in forms, as nobody need know Art. 21
WISHES = {
    Kind.ERASURE: "Erase my data",
    Kind.CONSENT: "Withdraw my consent",
    Kind.OBJECTION: "Object to the use of my data",
    MARKETING: "Object to direct marketing",
    Kind.RESTRICTION: "Keep my data, but stop using it",
    Kind.SEEN_IN_OUTPUT: "I saw my data in what one of your models put out",
}
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def wish_of(kind: str, locale: str = "en") -> Wish:
    """Return the wish that a choice of ``WISHES`` stands for; erasure where nothing is chosen."""
    if kind == MARKETING:
        return Wish(kind=Kind.OBJECTION, marketing=True, locale=locale)
    return Wish(kind=kind or Kind.ERASURE, locale=locale)


def radios(
    label: Words,
    choices: Mapping[str, Words],
    *,
    help_text: Words = "",
    initial: str | None = None,
) -> forms.ChoiceField:
    """One of several codes; it must be chosen where none is from the start."""
    return forms.ChoiceField(
        label=label,
        help_text=help_text,
        choices=list(choices.items()),
        initial=initial,
        required=initial is None,
        widget=forms.RadioSelect,
        error_messages={"required": _("Select one."), "invalid_choice": _("Select one of these.")},
    )


def text(
    label: Words, *, help_text: Words = "", rows: int = 0, most: int = 200
) -> forms.CharField:
    """Something that may be left empty."""
    widget = forms.Textarea({**PLAIN, "rows": rows}) if rows else forms.TextInput(PLAIN)
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=most, widget=widget
    )


class AnswerForm(PlainForm):
    """By what else we may know the person."""

    email = forms.EmailField(
        label=_("Another e-mail address"),
        required=False,
        max_length=254,
        error_messages={"invalid": _("Enter an e-mail address in the form name@example.org.")},
    )
    external = text(_("A customer or account number"))

    def clean(self) -> dict[str, Any]:
        """Want one of the two."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.identifiers():
            self.add_error("email", _("Enter an e-mail address or a number."))
        return cleaned

    def identifiers(self) -> tuple[tuple[str, str], ...]:
        """Return what was stated, by kind."""
        stated = {
            "EMAIL": self.cleaned_data.get("email"),
            "EXTERNAL": self.cleaned_data.get("external"),
        }
        return tuple((kind, value) for kind, value in stated.items() if value)


class EnterForm(PlainForm):
    """A request as it lies before a member of staff."""

    kind = radios(_("What does the person want?"), WISHES, initial=Kind.ERASURE)
    channel = radios(_("How did it come?"), CHANNELS)
    received_date = forms.DateField(
        label=_("On which day did it come?"),
        help_text=_("The day of receipt, not today: the month of the answer runs from it."),
        widget=forms.DateInput({"type": "date"}),
        error_messages={"required": _("Enter the day of receipt.")},
    )
    received_time = forms.TimeField(
        label=_("At what time?"),
        widget=forms.TimeInput({"type": "time"}),
        error_messages={"required": _("Enter the time of receipt, or 12:00.")},
    )
    old_confirmed = forms.BooleanField(
        required=False, label=_("It really came more than three months ago")
    )
    email = forms.EmailField(
        required=False, max_length=254, label=_("E-mail address of the person")
    )
    external = text(_("Customer or account number"))
    postal_address = text(_("Postal address"), rows=3, most=1000)
    description = text(_("What the person saw in an output"), rows=3, most=4000)
    model_name = text(_("Which model it was"))
    answer_by = radios(
        _("How is the person answered?"),
        {"": _("The way it came"), **dict(Intake.AnswerBy.choices)},
        help_text=_("Choose another way only if the person asked for it."),
        initial="",
    )
    agent_name = text(_("Agent, if somebody asks for the person"))
    agent_contact = forms.EmailField(
        required=False, max_length=254, label=_("E-mail of the agent")
    )
    mandate_seen = forms.BooleanField(required=False, label=_("I have seen the agent's mandate"))
    mandate = forms.FileField(
        required=False,
        label=_("The mandate as a file"),
        help_text=_(
            "Only its digest is kept, so that it can be recognised. The file is not stored."
        ),
    )
    answer_to_agent = forms.BooleanField(required=False, label=_("The answer goes to the agent"))
    method = radios(
        _("How was identity checked?"),
        {"": _("Not yet: by the link to the e-mail address, or later"), **METHODS},
        initial="",
    )
    level = radios(_("How sure is that?"), LEVELS, initial="LOW")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (a form's)
        super().__init__(*args, **kwargs)
        self.fields["received_time"].help_text = gettext("By the clock of %(zone)s.") % {
            "zone": settings.EXPUNGE_CLOCK_ZONE
        }

    def entry(self) -> Entry:
        """Return what the form says; the receipt is meant in the zone of the clock."""
        said = self.cleaned_data
        zone = ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)
        told = Told(
            description=said["description"],
            model_name=said["model_name"],
            identifiers=(("EXTERNAL", said["external"]),) if said["external"] else (),
            postal_address=said["postal_address"],
            agent_name=said["agent_name"],
            agent_contact=said["agent_contact"],
        )
        return Entry(
            channel=said["channel"],
            received_at=datetime.combine(said["received_date"], said["received_time"], zone),
            email=said["email"],
            wish=wish_of(said["kind"]),
            told=told,
            answer_by=said["answer_by"],
            agent=self._agent(),
            old_confirmed=said["old_confirmed"],
            check=Check(method=said["method"], level=said["level"] or "LOW")
            if said["method"]
            else None,
        )

    def _agent(self) -> Agent | None:
        said = self.cleaned_data
        names = ("agent_name", "agent_contact", "mandate_seen", "mandate", "answer_to_agent")
        if not any(said.get(name) for name in names):
            return None
        return Agent(
            mandate_seen=said["mandate_seen"],
            mandate_digest=digest_of(said.get("mandate")),
            answer_to_agent=said["answer_to_agent"],
        )


class MandateForm(PlainForm):
    """The mandate of an agent."""

    mandate = forms.FileField(
        required=False,
        label=_("The mandate as a file"),
        help_text=_("Only its digest is kept. Leave this empty if you saw it on paper."),
    )


class CheckForm(PlainForm):
    """How staff made sure who asks."""

    method = radios(_("How did you make sure who asks?"), METHODS)
    level = radios(_("How sure is that?"), LEVELS)
    doubt = radios(_("What was doubtful?"), {"": _("Nothing"), **DOUBTS}, initial="")

    def check(self) -> Check:
        """Return what the form says."""
        return Check(**self.cleaned_data)


class DoubtForm(PlainForm):
    """Why more is asked for."""

    doubt = radios(_("Why is more needed?"), DOUBTS, help_text=_("The person is told this."))


class UnidentifiedForm(PlainForm):
    """Why nobody could be identified."""

    reason = radios(_("Why can the person not be identified?"), NOT_IDENTIFIED)


class ObjectionForm(PlainForm):
    """The balance of Art. 21(1)."""

    result = radios(
        _("What weighs more?"),
        {
            "UPHELD": _("The person's interests: the data is erased"),
            "OVERRULED": _("Compelling legitimate grounds of ours: the request is refused"),
        },
    )
    balance = forms.CharField(
        label=_("Why?"),
        help_text=_("20 characters or more. The person reads this if the objection is overruled."),
        min_length=SHORTEST_REASON,
        max_length=4000,
        widget=forms.Textarea({"rows": 6}),
        error_messages={"required": _("Write the reason.")},
    )


class RestrictForm(PlainForm):
    """The ground of Art. 18(1)."""

    ground = radios(_("On which ground is the data restricted?"), RESTRICTIONS)


class LiftForm(PlainForm):
    """When and why a restriction ends."""

    reason = forms.CharField(
        label=_("Why does the restriction end?"),
        help_text=_("20 characters or more. The person reads this before it ends."),
        min_length=SHORTEST_REASON,
        max_length=4000,
        widget=forms.Textarea({"rows": 4}),
        error_messages={"required": _("Write the reason.")},
    )
    lift_on = forms.DateField(
        label=_("On which day does it end?"),
        widget=forms.DateInput({"type": "date"}),
        error_messages={"required": _("Enter a day after today.")},
    )


def digest_of(file: Any) -> str:  # noqa: ANN401  (an uploaded file)
    """Return the SHA-256 of an uploaded file, "" for none; the file itself is not kept."""
    if not file:
        return ""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
