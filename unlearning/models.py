"""Runs of unlearning methods; they know nothing of requests or the law."""

from __future__ import annotations

import uuid

from django.db import models

from lineage.models import Artefact, DatasetSnapshot, Job, ModelVersion, OrdinalSpace


class UnlearningRun(models.Model):
    """One method applied to one model version and one forget set.

    ``interim`` is what serves in place of the target until the result may: the shards of before
    the records, voting.

    * WAITING -> QUEUED | SUCCEEDED, when staff decide about a version without a recipe;
    * QUEUED | RUNNING | FAILED -> WAITING, when staff take a run over that cannot be carried out;
    * QUEUED -> RUNNING -> SUCCEEDED | FAILED, written by the child process;
    * SUCCEEDED -> CLEARED | REJECTED, written when the evidence has been judged, or when staff
      give up on an audit that cannot be made;
    * CLEARED -> REJECTED, when a child that was rebuilt on the result was not cleared.
    """

    class Status(models.TextChoices):
        """Life of a run."""

        WAITING = "WAITING", "Waiting for a decision"
        QUEUED = "QUEUED", "Queued"
        RUNNING = "RUNNING", "Running"
        SUCCEEDED = "SUCCEEDED", "Awaiting audit"
        CLEARED = "CLEARED", "Cleared"
        REJECTED = "REJECTED", "Not cleared"
        FAILED = "FAILED", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(ModelVersion, models.PROTECT, related_name="unlearning_runs")
    base = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="rebuilt_children"
    )
    method = models.CharField(max_length=64)
    hyperparameters = models.JSONField(default=dict, blank=True)
    tuning = models.ForeignKey(
        "Tuning", models.PROTECT, null=True, blank=True, related_name="runs"
    )
    seed = models.BigIntegerField()
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, related_name="+")
    forget_bitmap = models.BinaryField()
    forget_count = models.BigIntegerField()
    forget_digest = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    guarantee = models.CharField(max_length=32, blank=True)
    unlearned = models.OneToOneField(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="unlearned_by"
    )
    interim = models.OneToOneField(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="interim_of"
    )
    escalated_from = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="escalated_to"
    )
    report = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    retrain_seconds_predicted = models.FloatField(null=True, blank=True)
    weighed = models.JSONField(default=dict, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_run_that_succeeded_has_an_unlearned_model_unless_it_destroys",
                condition=models.Q(
                    status__in=["SUCCEEDED", "CLEARED", "REJECTED"], unlearned__isnull=False
                )
                | models.Q(unlearned=None, method__in=["destroy", "no_action"])
                | models.Q(status__in=["WAITING", "QUEUED", "RUNNING", "FAILED"], unlearned=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} on {self.target}"


class Tuning(models.Model):
    """A search of a method's hyperparameters on proxy problems, never on a request's records.

    * SEARCHING -> FROZEN, when enough trials are in;
    * SEARCHING -> FAILED, when the method is not defined on the recipe's models, when too many
      trials ended without a model, or when the problem is not the same any more: a record of it
      was restricted or erased, or the recipe was changed.

    What is frozen holds for one method, one recipe (its digest, so its code) and one data set,
    and is used for runs on versions of that recipe from then on. A later search is a new version.

    ``view`` holds the records that the search is made on and ``forget`` those of them that all
    its proxies forget, as bitmaps of ordinals, both fixed when it begins. ``digest`` is of all
    that was frozen, by which the log knows it. Triggers refuse to change what is over.
    """

    class State(models.TextChoices):
        """Life of a search."""

        SEARCHING = "SEARCHING", "Searching"
        FROZEN = "FROZEN", "Frozen"
        FAILED = "FAILED", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    method = models.CharField(max_length=64)
    recipe = models.CharField(max_length=200)
    recipe_parameters = models.JSONField(default=dict)
    recipe_digest = models.CharField(max_length=64, blank=True)
    snapshot = models.ForeignKey(DatasetSnapshot, models.PROTECT, related_name="+")
    trials_wanted = models.PositiveIntegerField()
    proxies = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.SEARCHING)
    version = models.PositiveIntegerField(null=True, blank=True)
    hyperparameters = models.JSONField(default=dict, blank=True)
    objectives = models.JSONField(default=dict, blank=True)
    study_digest = models.CharField(max_length=64, blank=True)
    view = models.BinaryField(default=bytes)
    forget = models.BinaryField(default=bytes)
    digest = models.CharField(max_length=64, blank=True)
    failure = models.TextField(blank=True)
    created_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="what_is_frozen_names_its_study",
                condition=~models.Q(state="FROZEN")
                | (~models.Q(study_digest="") & models.Q(version__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["method", "recipe_digest", "version"],
                name="a_tuning_has_a_version_of_its_own",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} for {self.recipe}" + (f" v{self.version}" if self.version else "")


class TuningTrial(models.Model):
    """One setting that was tried on the proxies; ``values`` is empty where it failed.

    ``share`` numbers the job that tried it.
    """

    tuning = models.ForeignKey(Tuning, models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    hyperparameters = models.JSONField()
    values = models.JSONField(default=list)
    attributes = models.JSONField(default=dict)
    share = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tuning", "number"], name="a_trial_has_a_number_of_its_own"
            ),
        ]

    def __str__(self) -> str:
        return f"trial {self.number} of {self.tuning}"


class TrainingHistory(models.Model):
    """What was kept of a training so that it can be replayed without some of its records.

    ``account`` is a ``unlearning.core.replay.recording.Recording`` as JSON, ``bitmap`` holds the
    ordinals of the records that are trained on. While the training goes on there is no version
    yet; then the history is destroyed with its version. A version that is a vote of shards has a
    history of each, with the number of the ``shard``.
    """

    name = models.CharField(max_length=64, unique=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="histories"
    )
    shard = models.PositiveIntegerField(null=True, blank=True)
    account = models.BinaryField(default=bytes)
    space = models.ForeignKey(OrdinalSpace, models.PROTECT, null=True, related_name="+")
    bitmap = models.BinaryField(default=bytes)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_version_has_one_history_of_the_whole",
                fields=["version"],
                condition=models.Q(shard=None),
            ),
            models.UniqueConstraint(
                name="a_version_has_one_history_of_a_shard", fields=["version", "shard"]
            ),
        ]

    def __str__(self) -> str:
        return f"history {self.name}"


class TrainingPrivacy(models.Model):
    """What the training of a version promised each person: DP-SGD, written as it ended.

    ``noise`` is in clips, ``rate`` the chance of each of ``people`` to be in one of ``steps``;
    ``epsilon``, at ``delta``, is that of one person, None where no finite one was found. A record
    of nobody counts as a person of its own; ``largest`` is the most records of one. The secret of
    the noise is in no row. Triggers refuse to change or remove a row.
    """

    version = models.OneToOneField(ModelVersion, models.PROTECT, related_name="privacy")
    clip = models.FloatField()
    noise = models.FloatField()
    rate = models.FloatField()
    steps = models.BigIntegerField()
    epsilon = models.FloatField(null=True)
    delta = models.FloatField()
    accountant = models.CharField(max_length=8)
    people = models.BigIntegerField()
    largest = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"privacy of {self.version}"


class HistorySlice(models.Model):
    """A slice of a shard: the ordinals of its records that are trained on.

    ``bound`` counts the records of this slice and those before it as there were at first, so that
    every record keeps its number.
    """

    history = models.ForeignKey(TrainingHistory, models.CASCADE, related_name="slices")
    number = models.PositiveIntegerField()
    bound = models.PositiveBigIntegerField()
    bitmap = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_slice_has_a_number_of_its_own", fields=["history", "number"]
            ),
        ]

    def __str__(self) -> str:
        return f"slice {self.number} of {self.history}"


class HistoryFile(models.Model):
    """A state, or a stretch of the step log, under the key that the account names."""

    history = models.ForeignKey(TrainingHistory, models.CASCADE, related_name="files")
    key = models.CharField(max_length=200, unique=True)
    artefact = models.OneToOneField(Artefact, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.key


class Canaries(models.Model):
    """The canaries of a version; below ``first`` they were spent. Nobody's data.

    The key ``canaries:<planting>`` and ``units`` give all ``number`` of them again, to ``digest``.
    """

    version = models.OneToOneField(ModelVersion, models.PROTECT, null=True, related_name="planted")
    planting = models.UUIDField(db_index=True)
    number = models.PositiveIntegerField()
    first = models.PositiveIntegerField(default=0)
    units = models.JSONField()
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"canaries of {self.version}"


class SpentCanaries(models.Model):
    """The share ``first`` .. ``last`` - 1 of a planting, erased with the forget set of a run."""

    run = models.OneToOneField(UnlearningRun, models.PROTECT, related_name="canaries")
    planting = models.UUIDField()
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["planting", "first"], name="canaries_are_spent_once"),
        ]

    def __str__(self) -> str:
        return f"canaries spent by {self.run}"
