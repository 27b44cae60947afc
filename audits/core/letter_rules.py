"""Every letter: its blocks in their order, what each may say, and what none may leave out.

The blocks that are ``MANDATORY`` carry what the law wants the person to read; a text without one
of them, or without the placeholder that makes it say something, is refused (Art. 12(3) and (4)).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCALES = MappingProxyType({"en": "English", "fr": "Français", "de": "Deutsch"})
SUBJECT_MOST = 200
BLOCK_MOST = 5000
# What each placeholder stands for, as the page says on which texts are edited.
PLACEHOLDERS = MappingProxyType(
    {
        "reference": "the reference of the case",
        "received_on": "the day on which the request came in",
        "controller": "the name of the controller",
        "contact": "the address for questions",
        "authority": "the supervisory authority",
        "site": "the address of this site",
        "checkpoint": "the newest signed state of the log, on a line of its own",
        "hours": "how many hours the link for confirming works",
        "confirm_url": "the link that confirms the request",
        "status_url": "the link to the person's own page",
        "until": "the day until which the link for confirming works",
        "due_on": "the day by which the answer is due",
        "asked": "what the person is asked for",
        "answer_url": "the link under which the person answers; may be missing",
        "reason": "the reason, in words",
        "new_due": "the later day by which the answer is due",
        "lift_on": "the day on which the restriction ends",
        "erased_on": "the day on which the data was gone",
        "done": "what was done to the data itself",
        "models": "what was or will be done to each model, and when",
        "places": "where something of the data is left; may be missing",
        "exceptions": "what is kept, why and until when; may be missing",
        "recipients": "whom the data was given to, where the person asked; may be missing",
        "backups": "which backups still hold the data and until when; may be missing",
        "record": "the SHA-256 digest of the signed record; may be missing",
        "earlier": "the reference of the earlier case",
        "addressee": "whom the notice is for",
        "what": "which data sets and versions the notice is about",
        "contract": "the reference of the contract with the addressee; may be missing",
        "versions": "which versions are replaced, and by which; may be missing",
        "ack_url": "the link under which the receipt is confirmed",
    }
)
COMMON = ("reference", "received_on", "controller", "contact", "authority", "site", "checkpoint")
# For the eyes of the addressee only: never shown to staff, never kept once sent.
SECRETS = frozenset({"confirm_url", "status_url", "answer_url", "ack_url"})
FOOT = ("questions", "signature", "checkpoint")
IN_EVERY = MappingProxyType(
    {
        "questions": ("contact", "reference"),
        "signature": ("controller",),
        "checkpoint": ("checkpoint",),
    }
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A letter's title, its own blocks, its own placeholders, and its mandatory blocks."""

    title: str
    body: tuple[str, ...]
    own: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    to_person: bool = True
    repeatable: bool = False

    @property
    def blocks(self) -> tuple[str, ...]:
        """All blocks in the order in which they are read."""
        return ("greeting", *self.body, *FOOT)

    @property
    def mandatory(self) -> Mapping[str, tuple[str, ...]]:
        """By block that must be there: the placeholders that it must have."""
        return {**self.needs, **IN_EVERY}

    @property
    def allowed(self) -> tuple[str, ...]:
        """The placeholders that the letter may use."""
        return (*COMMON, *self.own)


def _lifted(title: str) -> Rule:
    body = ("opening", "meaning", "complaint", "remedy", "record")
    return Rule(title=title, body=body, own=("record",), needs=_COMPLAINT)


def _notice(title: str, blocks: tuple[str, ...], *, own: tuple[str, ...]) -> Rule:
    """Return the rule of a notice to somebody who is not the person."""
    return Rule(
        title=title,
        body=("opening", "what", *blocks, "acknowledge"),
        own=("addressee", "what", *own, "ack_url"),
        needs={"what": ("what",), "acknowledge": ("ack_url",)},
        to_person=False,
    )


_COMPLAINT = {"complaint": ("authority",)}
_REMEDIES = {"reason": ("reason",), "complaint": ("authority",), "remedy": ()}
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "CONFIRM": Rule(
            title="Confirm the request",
            body=("opening", "link", "not_you", "status"),
            own=("hours", "confirm_url", "status_url", "due_on"),
            needs={"link": ("confirm_url", "hours"), "status": ("status_url",)},
        ),
        "CONFIRM_REMINDER": Rule(
            title="Reminder to confirm",
            body=("opening", "link", "not_you"),
            own=("until",),
            needs={"link": ("until",)},
        ),
        "ACKNOWLEDGEMENT": Rule(
            title="Acknowledgement",
            body=("opening", "deadline", "next", "complaint"),
            own=("due_on",),
            needs={"deadline": ("due_on",)},
        ),
        "INFO_NEEDED": Rule(
            title="More information needed",
            body=("opening", "asked", "answer", "purpose"),
            own=("asked", "answer_url"),
            needs={"asked": ("asked",)},
            repeatable=True,
        ),
        "EXTENSION": Rule(
            title="Extension of the deadline",
            body=("opening", "reasons", "new_date", "complaint", "remedy"),
            own=("reason", "new_due", "due_on"),
            needs={"reasons": ("reason",), "new_date": ("new_due",)},
        ),
        "RESTRICTED": Rule(
            title="Data restricted", body=("opening", "meaning", "lifting", "complaint")
        ),
        "LIFT_NOTICE": Rule(
            title="Restriction about to end",
            body=("opening", "reason", "date", "complaint", "remedy"),
            own=("reason", "lift_on"),
            needs={"reason": ("reason",), "date": ("lift_on",)},
            repeatable=True,
        ),
        "ANSWER_ERASED": Rule(
            title="Answer: erased",
            body=(
                "opening",
                "done",
                "models",
                "remains",
                "exceptions",
                "backups",
                "recipients",
                "limits",
                "record",
                "complaint",
                "remedy",
            ),
            own=(
                "erased_on",
                "done",
                "models",
                "places",
                "exceptions",
                "backups",
                "recipients",
                "record",
            ),
            needs={"models": ("models",), **_COMPLAINT},
        ),
        "ANSWER_NO_DATA_FOUND": Rule(
            title="Answer: no data found",
            body=("opening", "elsewhere", "record", "complaint", "remedy"),
            own=("record",),
            needs=_COMPLAINT,
        ),
        "ANSWER_REFUSED": Rule(
            title="Answer: refused",
            body=("opening", "reason", "exceptions", "complaint", "remedy", "record"),
            own=("reason", "exceptions", "record"),
            needs=_REMEDIES,
        ),
        "ANSWER_WITHDRAWN": Rule(
            title="Answer: withdrawn", body=("opening", "again", "record"), own=("record",)
        ),
        "ANSWER_JOINED": Rule(
            title="Answer: joined to an earlier case",
            body=("opening", "earlier", "record"),
            own=("earlier", "record"),
        ),
        "ANSWER_NOT_IDENTIFIED": Rule(
            title="Answer: person not identified",
            body=("opening", "reason", "again", "complaint", "remedy", "record"),
            own=("reason", "record"),
            needs=_REMEDIES,
        ),
        "ANSWER_RESTRICTION_LIFTED": _lifted("Answer: restriction ended"),
        "ANSWER_RESTRICTION_ERASED": _lifted("Answer: restricted data erased"),
        "RECIPIENT_NOTICE": _notice(
            "Notice to a recipient (Art. 19)",
            ("contract", "versions", "duty"),
            own=("contract", "versions"),
        ),
        "RESTRICTION_NOTICE": _notice(
            "Notice of a restriction to a recipient (Art. 19)",
            ("contract", "duty"),
            own=("contract",),
        ),
        "PUBLICATION_NOTICE": _notice(
            "Notice about what was made public (Art. 17(2))", ("duty",), own=()
        ),
        "DEPLOYMENT_NOTICE": _notice(
            "Notice to whoever runs a version", ("duty", "versions"), own=("versions",)
        ),
    }
)
