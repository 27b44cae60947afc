"""What is written about a case, to whom it goes, and the operator's own texts."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from audits.models.requests import ErasureRequest


class Letter(models.Model):
    """A message to the person or, as a notice, to somebody else. It never undoes an erasure.

    * WAITING -> SENT, when the mail server took it; -> FAILED after the last try, or when a
      mandatory block has nothing to say; -> DROPPED, when there is nobody to send it to any more;
    * FAILED -> WAITING, when staff try again, as they may before the next try, too;
    * TO_POST -> POSTED, when staff record the day on which it was posted.

    ``content`` is the text, sealed with the key of the case: once that is destroyed nobody can
    read it. A letter that may be sent more than once is counted by ``number``, and ``asked`` tells
    one request for it from another. ``version`` is that of the text, 0 for the built-in one.
    ``error`` names what went wrong and holds no address.
    """

    class State(models.TextChoices):
        """Life of a letter."""

        WAITING = "WAITING", "Waiting to be sent"
        SENT = "SENT", "Sent"
        FAILED = "FAILED", "Could not be sent"
        DROPPED = "DROPPED", "No longer needed"
        TO_POST = "TO_POST", "To be posted"
        POSTED = "POSTED", "Posted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(ErasureRequest, models.CASCADE, related_name="letters")
    code = models.CharField(max_length=32)
    number = models.PositiveIntegerField(default=1)
    asked = models.CharField(max_length=64, blank=True)
    locale = models.CharField(max_length=8, default="en")
    version = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    digest = models.CharField(max_length=64, blank=True)
    content = models.BinaryField(default=bytes)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    posted_on = models.DateField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "code", "number"],
                name="a_letter_is_written_once_per_case_and_number",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_try_at"], name="letter_next_try")]

    def __str__(self) -> str:
        return f"{self.code} of {self.request}"


class AnswerRoute(models.Model):
    """How a person is answered, where it is not by e-mail to the address that they gave.

    ``address`` is the postal address, sealed with the key of the case. ``requested``: the person
    asked for this way (Art. 12(3)).
    """

    class Way(models.TextChoices):
        """The two ways in which a letter goes out."""

        EMAIL = "EMAIL", "By e-mail"
        POST = "POST", "By post"

    request = models.OneToOneField(
        ErasureRequest, models.CASCADE, primary_key=True, related_name="answer_route"
    )
    way = models.CharField(max_length=8, choices=Way)
    requested = models.BooleanField(default=False)
    address = models.BinaryField(default=bytes)
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.request} is answered {self.get_way_display().lower()}"


class LetterTemplate(models.Model):
    """A version of the operator's text of a letter. Triggers refuse to change what was published.

    The newest version that is active by now is used; one that is ``builtin`` has no blocks of its
    own and says that the built-in text is used again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=32)
    locale = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    builtin = models.BooleanField(default=False)
    subject = models.CharField(max_length=200, blank=True)
    blocks = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    active_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "locale", "version"], name="a_version_of_a_letter_is_written_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} in {self.locale}, version {self.version}"
