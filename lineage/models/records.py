"""Records by dense ordinal, and the bitmaps that say which snapshot holds which of them."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models.subjects import DataSubject


class OrdinalSpace(models.Model):
    """Hands out dense 32-bit ordinals; one is never given twice, not even after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    next_ordinal = models.BigIntegerField(default=0)
    next_seq = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class DataRecord(models.Model):
    """One stored datum. After an erasure the row stays as a tombstone without an identity."""

    pk = models.CompositePrimaryKey("space_id", "ordinal")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="records")
    ordinal = models.BigIntegerField()
    subject = models.ForeignKey(DataSubject, models.PROTECT, null=True, related_name="records")
    key_hmac = models.BinaryField(max_length=32, null=True)
    generated_at = models.DateTimeField()
    invalidated_at = models.DateTimeField(null=True)
    invalidated_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_invalidated_record_has_no_identity",
                condition=models.Q(invalidated_at=None) | models.Q(subject=None, key_hmac=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.space_id}:{self.ordinal}"


class RecordContent(models.Model):
    """Where the content of a record is stored; row and file go when the person is erased.

    The file lies under space and ordinal, never under its hash: two people may own equal
    bytes, and the erasure of one must not take the other's.
    """

    pk = models.CompositePrimaryKey("space_id", "ordinal")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="contents")
    ordinal = models.BigIntegerField()
    target = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    uri = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()

    def __str__(self) -> str:
        return self.uri


class Dataset(models.Model):
    """A named collection that evolves through snapshots (OpenLineage: dataset)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    namespace = models.CharField(max_length=200, default="default")
    name = models.CharField(max_length=200)
    dataset_type = models.CharField(max_length=50, default="IMAGE")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="datasets")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["namespace", "name"], name="a_dataset_name_is_unique_in_its_namespace"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class DatasetSnapshot(models.Model):
    """An immutable set of ordinals (prov:Collection)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="snapshots")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="snapshots")
    seq = models.IntegerField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    record_count = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    external_version = models.CharField(max_length=200, blank=True)
    selection_rule = models.JSONField(default=dict, blank=True)
    generated_by = models.ForeignKey(
        "lineage.Run", models.PROTECT, null=True, blank=True, related_name="generated_snapshots"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "seq"], name="a_snapshot_number_is_unique_in_its_space"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.name}@{self.seq}"


class SnapshotChunk(models.Model):
    """The members of a snapshot among 65,536 consecutive ordinals, portable Roaring format."""

    pk = models.CompositePrimaryKey("space_id", "chunk_no", "seq")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    chunk_no = models.IntegerField()
    seq = models.IntegerField()
    encoding = models.SmallIntegerField()
    is_delta = models.BooleanField(default=False)
    cardinality = models.IntegerField()
    sha256 = models.BinaryField(max_length=32)
    bitmap = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.space_id} chunk {self.chunk_no} of snapshot {self.seq}"


class MembershipTile(models.Model):
    """Record-major copy of the chunks (512 records x 1,024 snapshots); derived, rebuildable."""

    pk = models.CompositePrimaryKey("space_id", "group_no", "block_no")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    group_no = models.IntegerField()
    block_no = models.IntegerField()
    encoding = models.SmallIntegerField()
    bitmap = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.space_id} tile {self.group_no}/{self.block_no}"


class RecordMapBlock(models.Model):
    """Maps derived records to the records they came from, for 1:n and n:m derivations."""

    pk = models.CompositePrimaryKey("derived_space_id", "block_no")
    derived_space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    block_no = models.IntegerField()
    offsets = models.BinaryField()
    parents = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.derived_space_id} map {self.block_no}"


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
