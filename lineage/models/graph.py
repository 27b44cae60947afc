"""The small relational graph above the bitmaps: runs, model versions and their edges."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models.records import DatasetSnapshot


class Procedure(models.Model):
    """What is run again and again (OpenLineage: job, PROV: plan)."""

    namespace = models.CharField(max_length=200, default="default")
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["namespace", "name"], name="a_procedure_name_is_unique_in_its_namespace"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Run(models.Model):
    """One execution that read nodes and wrote nodes (prov:Activity)."""

    class Activity(models.TextChoices):
        """What the run did."""

        TRAIN = "TRAIN", "Training"
        FINE_TUNE = "FINE_TUNE", "Fine-tuning"
        DISTILL = "DISTILL", "Distillation"
        MERGE = "MERGE", "Merging of models"
        AVERAGE = "AVERAGE", "Averaging of weights"
        QUANTISE = "QUANTISE", "Quantisation"
        EXPORT = "EXPORT", "Export to another format"
        FIT = "FIT", "Fitting of a component"
        EMBED = "EMBED", "Embedding"
        TRANSFORM = "TRANSFORM", "Transformation"
        SYNTHESISE = "SYNTHESISE", "Synthesis of data"
        EVALUATE = "EVALUATE", "Evaluation"
        UNLEARN = "UNLEARN", "Unlearning"
        SHADOW = "SHADOW", "Shadow training"

    class State(models.TextChoices):
        """How far the run came."""

        RUNNING = "RUNNING", "Running"
        COMPLETE = "COMPLETE", "Complete"
        INCOMPLETE = "INCOMPLETE", "Incomplete"

    class Capture(models.TextChoices):
        """How membership was learned."""

        NONE = "NONE", "Not captured"
        SNAPSHOT = "SNAPSHOT", "Declared snapshot"
        SAMPLER = "SAMPLER", "Drawn by the sampler"
        CONSUMED = "CONSUMED", "Named by the training"
        REPORTED = "REPORTED", "Reported by an event"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    procedure = models.ForeignKey(Procedure, models.PROTECT, null=True, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    activity = models.CharField(max_length=16, choices=Activity)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    capture_level = models.CharField(max_length=16, choices=Capture, default=Capture.NONE)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    recipe = models.CharField(max_length=200, blank=True)
    recipe_parameters = models.JSONField(default=dict, blank=True)
    recipe_digest = models.CharField(max_length=64, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    sampler = models.JSONField(default=dict, blank=True)
    environment = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=200, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.activity} {str(self.pk)[:8]}"


class ModelVersion(models.Model):
    """Weights produced by a run; shadow models are versions too, never servable.

    ``expires_at``: when it is destroyed at the latest, if it is not before. Shadow models have it.
    """

    class Kind(models.TextChoices):
        """What the version is for."""

        MODEL = "MODEL", "Model"
        SHADOW = "SHADOW", "Shadow model"
        COMPONENT = "COMPONENT", "Fitted component"

    class State(models.TextChoices):
        """Whether the version may be used."""

        CANDIDATE = "CANDIDATE", "Candidate, not released"
        ACTIVE = "ACTIVE", "Active"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        QUARANTINED = "QUARANTINED", "Quarantined"
        DESTROYED = "DESTROYED", "Destroyed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model_name = models.CharField(max_length=200)
    version = models.IntegerField()
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.MODEL)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    guarantee = models.CharField(max_length=32, blank=True)
    generated_by = models.ForeignKey(Run, models.PROTECT, related_name="versions")
    revision_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="revisions"
    )
    generated_at = models.DateTimeField()
    invalidated_at = models.DateTimeField(null=True, blank=True)
    invalidated_by = models.UUIDField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    aliases = models.JSONField(default=list, blank=True)
    external_id = models.CharField(max_length=200, blank=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_name", "version"], name="a_version_number_is_unique_in_its_model"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="version_that_will_expire",
                condition=models.Q(expires_at__isnull=False) & ~models.Q(state="DESTROYED"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} v{self.version}"


class LineageNode(models.Model):
    """A node of the graph: a snapshot or a model version, by one small integer."""

    class Kind(models.TextChoices):
        """What stands behind the node."""

        SNAPSHOT = "SNAPSHOT", "Snapshot"
        MODEL = "MODEL", "Model version"

    kind = models.CharField(max_length=16, choices=Kind)
    object_id = models.UUIDField(unique=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Role(models.TextChoices):
    """What a run used an input for."""

    TRAINING = "TRAINING", "Training data"
    VALIDATION = "VALIDATION", "Validation data"
    BASE_MODEL = "BASE_MODEL", "Base model"
    TEACHER = "TEACHER", "Teacher"
    SOURCE_MODEL = "SOURCE_MODEL", "Source model"
    GENERATOR = "GENERATOR", "Generator of synthetic data"
    PREPROCESSING = "PREPROCESSING", "Preprocessing"
    SCALER = "SCALER", "Scaler"
    VOCABULARY = "VOCABULARY", "Vocabulary"
    FEATURES = "FEATURES", "Feature selection"
    LABELS = "LABELS", "Source of labels"
    TUNING = "TUNING", "Tuning of hyperparameters"
    EARLY_STOPPING = "EARLY_STOPPING", "Early stopping"
    SOURCE_DATA = "SOURCE_DATA", "Source of derived data"
    FORGET = "FORGET", "Forget set"


class Influence(models.TextChoices):
    """How an input acts on the output."""

    DIRECT = "DIRECT", "Direct"
    INDIRECT = "INDIRECT", "Indirect"
    NONE = "NONE", "None"


class RunInput(models.Model):
    """A node that a run read (prov:used)."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="inputs")
    node = models.ForeignKey(LineageNode, models.PROTECT, related_name="used_by")
    role = models.CharField(max_length=16, choices=Role)
    influence = models.CharField(max_length=16, choices=Influence)
    masking = models.BooleanField(default=False)
    used_snapshot = models.ForeignKey(
        DatasetSnapshot, models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_step_blob = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "node", "role"], name="a_run_reads_a_node_once_per_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.role} {self.node}"


class RunOutput(models.Model):
    """A node that a run wrote (prov:wasGeneratedBy).

    Several runs may say that they wrote one data set, or one model of another registry.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="outputs")
    node = models.ForeignKey(LineageNode, models.PROTECT, related_name="generated_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "node"], name="a_run_writes_a_node_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run} wrote {self.node}"


class LineageEdge(models.Model):
    """``dst`` was derived from ``src``; append-only, but that it may become stronger."""

    pk = models.CompositePrimaryKey("src_id", "dst_id")
    src = models.ForeignKey(LineageNode, models.PROTECT, related_name="out_edges", db_index=False)
    dst = models.ForeignKey(LineageNode, models.PROTECT, related_name="in_edges")
    relation = models.CharField(max_length=32, default="wasDerivedFrom")
    role = models.CharField(max_length=16, choices=Role)
    influence = models.CharField(max_length=16, choices=Influence)
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.src_id} -> {self.dst_id}"


class Artefact(models.Model):
    """A stored file whose digest is checked whenever it is read."""

    class Kind(models.TextChoices):
        """What the file holds."""

        WEIGHTS = "WEIGHTS", "Weights"
        CHECKPOINT = "CHECKPOINT", "Checkpoint"
        PLOT = "PLOT", "Plot"
        RECORD = "RECORD", "Sealed record"
        REPORT = "REPORT", "Report"
        SUPPLIER = "SUPPLIER", "Evidence of a supplier"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    uri = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="artefacts"
    )
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"
