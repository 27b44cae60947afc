"""Drop what stood in the clear, and say of closed cases until when they are kept."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from audits.models.case_secrets import SealedList, SealedText

COLUMNS = (
    ("erasurerequest", "email"),
    ("personaldetails", "description"),
    ("personaldetails", "model_name"),
    ("personaldetails", "identifiers"),
    ("personaldetails", "postal_address"),
    ("personaldetails", "agent_name"),
    ("personaldetails", "agent_contact"),
)


def _replaced(model, column):
    sealed = SealedList() if column == "identifiers" else SealedText()
    return (
        migrations.RemoveField(model, column),
        migrations.RenameField(model, f"{column}_sealed", column),
        migrations.AlterField(model, column, sealed),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("audits", "0024_sealed_identity"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(step for model, column in COLUMNS for step in _replaced(model, column)),
        migrations.CreateModel(
            name="CaseRetention",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="retention",
                        serialize=False,
                        to="audits.erasurerequest",
                    ),
                ),
                ("closed_on", models.DateField()),
                ("days", models.PositiveIntegerField()),
                ("until", models.DateField(db_index=True)),
                ("longer_until", models.DateField(blank=True, null=True)),
                (
                    "longer_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("COMPLAINT", "Complaint to a supervisory authority"),
                            ("COURT", "Proceedings before a court"),
                            ("AUTHORITY", "An authority asked for it"),
                        ],
                        max_length=16,
                    ),
                ),
                ("person", models.BinaryField(default=bytes)),
                ("key_destroyed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "longer_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(longer_until=None, longer_reason="")
                        | (
                            models.Q(longer_until__gt=models.F("until"))
                            & ~models.Q(longer_reason="")
                        ),
                        name="a_case_is_kept_longer_for_a_reason",
                    )
                ]
            },
        ),
    ]
