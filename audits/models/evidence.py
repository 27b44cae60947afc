"""What the attacks measured and what was concluded from it. Append-only but for the shadows."""

from __future__ import annotations

import uuid

from django.db import models

from audits.core.verdict import Outcome
from audits.models.requests import ErasureRequest
from lineage.models import Artefact, ModelVersion
from unlearning.models import UnlearningRun


class AuditPlan(models.Model):
    """Design of the audit of one run, fixed and logged before the first shadow is trained."""

    run = models.OneToOneField(
        UnlearningRun, models.CASCADE, primary_key=True, related_name="audit_plan"
    )
    design = models.JSONField()
    design_digest = models.CharField(max_length=64)
    policy = models.JSONField()
    policy_digest = models.CharField(max_length=64)
    fixed_at = models.DateTimeField()
    # Where surrogates are learned: what a certificate would be about, and the one relied on.
    procedure = models.JSONField(default=dict, blank=True)
    procedure_key = models.CharField(max_length=64, blank=True, db_index=True)
    certificate = models.ForeignKey(
        "ProcedureCertificate", models.PROTECT, null=True, blank=True, related_name="plans"
    )
    no_certificate = models.TextField(blank=True)
    difficulty = models.SmallIntegerField(null=True, blank=True)
    profile = models.JSONField(null=True, blank=True)  # of difficulty, at nine quantiles

    def __str__(self) -> str:
        return f"audit of {self.run}"


class ShadowResult(models.Model):
    """Scores of one shadow model: derived personal data, deleted when the case closes."""

    run = models.ForeignKey(UnlearningRun, models.CASCADE, related_name="shadow_results")
    index = models.IntegerField()
    version = models.ForeignKey(ModelVersion, models.PROTECT, null=True, related_name="+")
    row = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "index"], name="a_shadow_is_trained_once"),
        ]

    def __str__(self) -> str:
        return f"shadow {self.index} of {self.run}"


class Evidence(models.Model):
    """The kept set of one look: every verdict can be recomputed from it."""

    class Kind(models.TextChoices):
        """Which measurement."""

        U_LIRA = "U_LIRA", "U-LiRA"
        POPULATION = "POPULATION", "Population MIA"
        CONSTRUCTION = "CONSTRUCTION", "Construction (lineage and replay)"
        RELEASE = "RELEASE", "Release gate (accuracy before and after)"
        CANARIES = "CANARIES", "Canaries (planted before training)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(UnlearningRun, models.PROTECT, related_name="evidence")
    # The case whose records it is about; empty where it is about all that the run serves.
    request = models.ForeignKey(
        ErasureRequest, models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    look = models.IntegerField(default=0)
    models_per_arm = models.IntegerField(default=0)
    payload = models.JSONField()
    digest = models.CharField(max_length=64)
    plot = models.ForeignKey(Artefact, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "kind", "look", "request"],
                name="a_look_is_taken_once_per_run_kind_and_case",
            ),
            models.UniqueConstraint(
                fields=["run", "kind", "look"],
                condition=models.Q(request=None),
                name="a_look_about_a_whole_run_is_taken_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} look {self.look} of {self.run}"


class Verdict(models.Model):
    """The conclusion drawn from one look under the policy fixed before it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(UnlearningRun, models.PROTECT, related_name="verdicts")
    evidence = models.OneToOneField(Evidence, models.PROTECT, related_name="verdict")
    outcome = models.CharField(max_length=32)
    reasons = models.JSONField(default=list)
    final = models.BooleanField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.outcome} for {self.run}"

    @property
    def clears(self) -> bool:
        """Return whether the run may be cleared by it."""
        return Outcome(self.outcome).closes
