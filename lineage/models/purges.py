"""What may not be used any more: restricted and erased ordinals, and who looked at them."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models.graph import LineageNode
from lineage.models.records import DatasetSnapshot, OrdinalSpace


class Restriction(models.Model):
    """Ordinals that no training view may serve (GDPR Art. 18) until the case lifts it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="restrictions")
    case_id = models.UUIDField(db_index=True)
    bitmap = models.BinaryField()
    started_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "case_id"], name="a_case_restricts_a_space_once"
            ),
        ]

    def __str__(self) -> str:
        return f"restriction of case {self.case_id}"


class ErasureViewOpening(models.Model):
    """One opening of restricted records, for one run and one purpose."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    run_id = models.UUIDField(db_index=True)
    purpose = models.CharField(max_length=16)
    record_count = models.BigIntegerField()
    opened_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purpose} view for run {self.run_id}"


class LineagePurge(models.Model):
    """Ordinals whose identity was purged, with no identifier of the person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="purges")
    bitmap = models.BinaryField()
    purged_at = models.DateTimeField()
    case_id = models.UUIDField(db_index=True)
    mode = models.CharField(max_length=16, default="SHRED")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "case_id"], name="a_case_purges_a_space_once"
            ),
        ]

    def __str__(self) -> str:
        return f"purge by case {self.case_id}"


class PurgePermit(models.Model):
    """While a row stands here, uncommitted, its transaction may rewrite membership chunks."""

    purge = models.ForeignKey(LineagePurge, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"permit of {self.purge}"


class PurgeTrace(models.Model):
    """A node on which records of a hard purge still act, although no bit says so any more.

    A model that learned from them, what was derived from them as a whole, or the forget set of a
    run that removed them. What held them itself was rewritten and is clean.

    Of a forget set ``bitmap`` keeps which it held, since what it did not hold was not removed. Of
    other nodes it is empty: any of the purge's ordinals may act on them.
    """

    purge = models.ForeignKey(LineagePurge, models.PROTECT, related_name="traces")
    node = models.ForeignKey(LineageNode, models.PROTECT, related_name="+")
    bitmap = models.BinaryField(default=bytes)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purge", "node"], name="a_purge_traces_a_node_once"),
        ]

    def __str__(self) -> str:
        return f"trace of {self.purge}"


class SnapshotSupersession(models.Model):
    """A snapshot whose bits were rewritten by a hard purge: the digest before and after."""

    snapshot = models.ForeignKey(DatasetSnapshot, models.PROTECT, related_name="supersessions")
    purge = models.ForeignKey(LineagePurge, models.PROTECT, related_name="supersessions")
    previous_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    superseded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "purge", "previous_digest"],
                name="a_purge_rewrites_a_state_of_a_snapshot_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.previous_digest[:12]} superseded by {self.digest[:12]}"
