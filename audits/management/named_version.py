"""A model version as commands are given it."""

from __future__ import annotations

from django.core.management import CommandError

from lineage.models import ModelVersion


def named_version(option: str, text: str) -> ModelVersion:
    """Return the version that MODEL:VERSION names.

    Raises:
        CommandError: the sentence names the option.
    """
    name, _, number = text.rpartition(":")
    found = ModelVersion.objects.filter(
        model_name=name, version=int(number) if number.isdigit() else -1
    ).first()
    if found is None:
        raise CommandError(f"{option} is {text!r}; it must be MODEL:VERSION of a known version.")
    return found
