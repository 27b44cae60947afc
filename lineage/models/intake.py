"""What came from outside and how far it was taken in."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models.graph import Run
from lineage.models.records import Dataset, OrdinalSpace


class ReceivedEvent(models.Model):
    """An OpenLineage event, known by its digest so that it counts once.

    ``body`` holds no record keys and no paths: membership is kept as ordinals.
    """

    sha256 = models.CharField(primary_key=True, max_length=64)
    run_id = models.UUIDField(db_index=True)
    event_type = models.CharField(max_length=16)
    event_time = models.DateTimeField()
    received_at = models.DateTimeField()
    body = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.event_type} of run {str(self.run_id)[:8]}"


class NamedLocation(models.Model):
    """A place that an event named: a keyed digest, whether or not a record is known of it.

    ``matched``: some record is known of it; another may still be imported. ``due``: a record with
    this location may have come since it was looked for. ``place`` counts the inputs of the event.
    Once all records that lay there are erased, random bytes stand for the digest.
    """

    pk = models.CompositePrimaryKey("digest", "event_id", "place")
    digest = models.BinaryField(max_length=16)
    event = models.ForeignKey(ReceivedEvent, models.CASCADE, related_name="locations")
    place = models.IntegerField()
    matched = models.BooleanField(default=False)
    due = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["event"], name="location_to_be_matched", condition=models.Q(due=True)
            ),
        ]

    def __str__(self) -> str:
        return f"location named by {self.event_id[:8]}"


class ManifestImport(models.Model):
    """How far a manifest was imported, so that an interrupted import goes on from there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="imports")
    manifest_sha256 = models.CharField(max_length=64)
    line = models.BigIntegerField(default=0)
    imported = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "manifest_sha256"], name="a_manifest_is_imported_once"
            ),
        ]

    def __str__(self) -> str:
        return f"import into {self.dataset} up to line {self.line}"


class CaptureReport(models.Model):
    """What one process of a training outside has told of its run, and when it was last heard.

    A training on several machines has one run and a report from each ``rank``; the run ends when
    all have said what they used. ``barred``: the records of the run's data that were restricted
    or erased already when it began. ``owner``: the name of the API key that began it; a report
    with a key of another name is not taken.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="reports", db_index=False)
    owner = models.CharField(max_length=200, blank=True, default="")
    rank = models.IntegerField(default=0)
    ranks = models.IntegerField(default=1)
    heard_at = models.DateTimeField()
    barred = models.BinaryField()
    used = models.BinaryField(null=True)
    first_steps = models.BinaryField(null=True)
    sampler = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "rank"], name="a_rank_reports_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run} rank {self.rank} of {self.ranks}"


class LabelConflict(models.Model):
    """A record that came in equal (distance 0) or close to another one of another target.

    It goes with the record. ``other_ordinal`` is empty where the other one was erased, or was a
    line of the same import that is not stored.
    """

    class State(models.TextChoices):
        """What became of the record."""

        HELD = "HELD", "Held back"
        KEPT = "KEPT", "In use"
        RELEASED = "RELEASED", "Checked, in use"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    ordinal = models.BigIntegerField()
    other_ordinal = models.BigIntegerField(null=True)
    distance = models.FloatField()
    state = models.CharField(max_length=8, choices=State)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "ordinal"], name="a_record_comes_into_conflict_once"
            ),
        ]

    def __str__(self) -> str:
        return f"record {self.ordinal} of {self.space}"
