"""Records by dense ordinal, and the bitmaps that say which snapshot holds which of them."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models.subjects import DataSubject


class OrdinalSpace(models.Model):
    """Hands out dense 32-bit ordinals; one is never given twice, not even after an erasure.

    The primary key is small because it stands in every row about a record or a chunk; what
    leaves the database (events, journal, exports, paths of files) names ``public_id``.
    """

    id = models.AutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    next_ordinal = models.BigIntegerField(default=0)
    next_seq = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class DataRecord(models.Model):
    """One stored datum. After an erasure the row stays as a tombstone without an identity.

    There is one row per record, so its columns stand in the order that wastes no padding.
    """

    pk = models.CompositePrimaryKey("space_id", "ordinal")
    ordinal = models.BigIntegerField()
    subject = models.ForeignKey(DataSubject, models.PROTECT, null=True, related_name="records")
    generated_at = models.DateTimeField()
    invalidated_at = models.DateTimeField(null=True)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="records", db_index=False)
    key_hmac = models.BinaryField(max_length=16, null=True)
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
    bytes, and the erasure of one must not take the other's. A record that was imported without
    its content, for lineage alone, has no such row.
    """

    pk = models.CompositePrimaryKey("space_id", "ordinal")
    space = models.ForeignKey(
        OrdinalSpace, models.PROTECT, related_name="contents", db_index=False
    )
    ordinal = models.BigIntegerField()
    target = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    uri = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()

    def __str__(self) -> str:
        return self.uri


class RecordLocation(models.Model):
    """Where the source system keeps a record, as a keyed digest: matched, never read.

    An event from outside may name what a training read by its files; one file (a shard, an
    archive, a table) may hold several records.
    """

    pk = models.CompositePrimaryKey("space_id", "digest", "ordinal")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+", db_index=False)
    digest = models.BinaryField(max_length=16)
    ordinal = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["space", "ordinal"], name="location_of_a_record")]

    def __str__(self) -> str:
        return f"location of {self.space_id}:{self.ordinal}"


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
    """An immutable set of ordinals (prov:Collection).

    A snapshot without ``base`` is a keyframe: its chunks hold all its members. One with a base
    has rows only for the chunks that differ from it; ``chain`` counts the bases below it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="snapshots")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="snapshots")
    seq = models.IntegerField()
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    base = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    chain = models.SmallIntegerField(default=0)
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
    """The members of a snapshot among 65,536 consecutive ordinals, portable Roaring format.

    ``is_delta``: the bitmap is the symmetric difference from the same chunk of the base.
    ``cardinality`` and ``sha256`` are those of the stored bitmap.
    """

    pk = models.CompositePrimaryKey("space_id", "chunk_no", "seq")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+", db_index=False)
    chunk_no = models.IntegerField()
    seq = models.IntegerField()
    cardinality = models.IntegerField()
    encoding = models.SmallIntegerField()
    is_delta = models.BooleanField(default=False)
    sha256 = models.BinaryField(max_length=32)
    bitmap = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.space_id} chunk {self.chunk_no} of snapshot {self.seq}"


class TileGroup(models.Model):
    """How many snapshots of a group of 1,024 the tiles cover; the rest is read from chunks."""

    pk = models.CompositePrimaryKey("space_id", "group_no")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+", db_index=False)
    group_no = models.IntegerField()
    covered = models.SmallIntegerField()
    built_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.space_id} group {self.group_no}, {self.covered} snapshots"


class MembershipTile(models.Model):
    """Record-major copy of the chunks (512 records x a group of snapshots); rebuildable."""

    pk = models.CompositePrimaryKey("space_id", "group_no", "block_no")
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+", db_index=False)
    group_no = models.IntegerField()
    block_no = models.IntegerField()
    encoding = models.SmallIntegerField()
    sha256 = models.BinaryField(max_length=32)
    bitmap = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.space_id} tile {self.group_no}/{self.block_no}"


class RecordMapBlock(models.Model):
    """Which derived records came from 4,096 consecutive source records (1:n and n:m).

    By source, since erasure asks in that direction. Each write of a derivation adds a ``part``.
    """

    pk = models.CompositePrimaryKey("source_space_id", "derived_space_id", "block_no", "part")
    source_space = models.ForeignKey(
        OrdinalSpace, models.PROTECT, related_name="+", db_index=False
    )
    derived_space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    block_no = models.IntegerField()
    part = models.IntegerField()
    offsets = models.BinaryField()
    derived = models.BinaryField()
    sha256 = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"{self.source_space_id} to {self.derived_space_id} map {self.block_no}"
