"""Wrong passwords and codes of an account, and where its member is signed in."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import models


class SignInFailures(models.Model):
    """How often a password or code of an account was wrong since its member last signed in.

    ``locked_at`` is set by the one too many; services: ``audits/services/sign_in.py``.
    """

    member = models.OneToOneField(User, models.CASCADE, related_name="sign_in_failures")
    failures = models.PositiveIntegerField(default=0)
    locked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "sign-in failures"

    def __str__(self) -> str:
        return f"{self.failures} of {self.member_id}"


class StaffSession(models.Model):
    """A browser in which a member is signed in; it goes with the session itself.

    No address and no browser's name: when it began and was last used tells one's own from others.
    """

    session = models.OneToOneField(Session, models.CASCADE, related_name="of_staff")
    member = models.ForeignKey(User, models.CASCADE, related_name="staff_sessions")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("-seen_at",)

    def __str__(self) -> str:
        return f"since {self.began_at:%Y-%m-%d %H:%M}"
