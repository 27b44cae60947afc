"""Which unlearned versions are shown, and who had which version."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from lineage.models import ModelVersion
from unlearning.models import UnlearningRun


class Release(models.Model):
    """What became of the result of a cleared run.

    * HELD: it got worse by more than is tolerated; staff decide. The erasure does not wait;
    * RELEASED: it is in use, by the rules or by decision of staff;
    * PASSED_OVER: it cannot be used, and another case replaces it.
    """

    class State(models.TextChoices):
        """Whether the version is shown."""

        HELD = "HELD", "Held"
        RELEASED = "RELEASED", "Released"
        PASSED_OVER = "PASSED_OVER", "Passed over"

    run = models.OneToOneField(UnlearningRun, models.PROTECT, related_name="release")
    state = models.CharField(max_length=16, choices=State)
    reason = models.TextField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"release of {self.run}"


class Reading(models.Model):
    """A reader, which is everybody who uses API keys of one name, was given a version.

    ``gone_at``: when they said that nothing of it is left with them. ``followed``: they had had
    another side of an erasure, and went on with this one as their key allows.
    """

    reader = models.CharField(max_length=200)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="readings")
    since = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)
    followed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "version"], name="a_reader_is_noted_once_per_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} has {self.version}"
