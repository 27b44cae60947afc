"""How often callers of served models asked, by keyed digests of who they are."""

from __future__ import annotations

from django.db import models

from lineage.models import ModelVersion


class QueryCount(models.Model):
    """How many answers a caller had of all versions of a model on one day (UTC).

    ``caller`` is a keyed digest that is another on every day: see ``expunge.queries``.
    """

    model_name = models.CharField(max_length=200)
    day = models.DateField()
    caller = models.CharField(max_length=64)
    answers = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_name", "day", "caller"], name="a_caller_is_counted_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answers} answers of {self.model_name} on {self.day}"


class VersionQueries(models.Model):
    """How many answers a version gave on one day (UTC), and when that was last reported."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="queries")
    day = models.DateField()
    answers = models.PositiveBigIntegerField()
    reported_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "version queries"
        constraints = [
            models.UniqueConstraint(
                fields=["version", "day"], name="a_version_is_counted_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answers} answers of {self.version} on {self.day}"


class QueryReport(models.Model):
    """A report of counts that was added up, so that it is not added again."""

    id = models.UUIDField(primary_key=True)
    reader = models.CharField(max_length=200)
    day = models.DateField()
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"report {self.pk} of {self.reader}"
