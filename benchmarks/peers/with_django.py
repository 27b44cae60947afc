"""Django as one would write it first: many-to-many fields, followed level by level."""

from __future__ import annotations

from typing import Any

from benchmarks.installation import database_bytes, prepared
from benchmarks.peers.driver import measured


def run(path: str) -> dict[str, Any]:
    """Measure in the database that is configured in this process."""
    prepared()
    return measured(ManyToMany(), path)


class ManyToMany:
    """Four tables and Django's own join tables between them."""

    def __init__(self) -> None:
        import django  # noqa: PLC0415
        from django.db import connection  # noqa: PLC0415

        self.version = django.get_version()
        self._record, self._snapshot, self._synthetic, self._version = _models()
        with connection.schema_editor() as editor:
            for model in (self._record, self._snapshot, self._synthetic, self._version):
                editor.create_model(model)

    def register(self, graph: dict[str, Any]) -> None:
        """Write a row for each record."""
        self._record.objects.bulk_create(
            [self._record(id=one) for one in range(graph["records"])], batch_size=5_000
        )

    def fill(self, graph: dict[str, Any]) -> None:
        """Write a row for each edge."""
        for number, members in enumerate(graph["snapshots"]):
            self._snapshot.objects.create(id=number).records.add(*members)
        for number, reads in enumerate(graph["runs"]):
            version = self._version.objects.create(id=number)
            if reads["snapshot"] is not None:
                version.snapshots.add(reads["snapshot"])
            if reads["base"] is not None:
                version.bases.add(reads["base"])
            if reads["teacher"] is not None:
                made = self._synthetic.objects.create(id=number, teacher_id=reads["teacher"])
                version.synthetic.add(made)

    def size(self) -> int:
        """Return the bytes of the database."""
        return database_bytes()

    def ask(self, records: list[int]) -> list[int]:
        """Return the versions that were trained on the records, or on such versions."""
        versions = self._version.objects
        fresh = set(versions.filter(snapshots__records__in=records).values_list("id", flat=True))
        found: set[int] = set()
        while fresh:
            found |= fresh
            tuned = versions.filter(bases__in=fresh).values_list("id", flat=True)
            distilled = versions.filter(synthetic__teacher__in=fresh).values_list("id", flat=True)
            fresh = {*tuned, *distilled} - found
        return list(found)


def _models() -> tuple[Any, ...]:
    """Declare the tables, which must wait until Django is set up."""
    from django.db import models  # noqa: PLC0415

    class Record(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "peers"

    class Snapshot(models.Model):  # noqa: DJ008
        records = models.ManyToManyField(Record)

        class Meta:
            app_label = "peers"

    class Synthetic(models.Model):  # noqa: DJ008
        teacher = models.ForeignKey("PeerVersion", models.PROTECT)

        class Meta:
            app_label = "peers"

    class PeerVersion(models.Model):  # noqa: DJ008
        snapshots = models.ManyToManyField(Snapshot)
        bases = models.ManyToManyField("self", symmetrical=False)
        synthetic = models.ManyToManyField(Synthetic)

        class Meta:
            app_label = "peers"

    return Record, Snapshot, Synthetic, PeerVersion
