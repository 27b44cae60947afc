"""System checks of the keys: who reads the disk must not be able to sign."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

HINT = "See docs/log.md."


@checks.register(deploy=True)
def keys_are_encrypted(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Warn of private keys that lie open, once debugging is over."""
    if settings.DEBUG or settings.EXPUNGE_KEYS_PASSPHRASE or settings.EXPUNGE_SIGNERS:
        return []
    return [
        checks.Warning(
            f"EXPUNGE_KEYS_PASSPHRASE is empty: whoever reads {settings.KEYS} can sign the log.",
            hint=f"Set it and run manage.py keys init, or set EXPUNGE_SIGNERS. {HINT}",
            id="expunge.W050",
        )
    ]


@checks.register()
def signers_can_be_called(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse a name under which there is no function that signs."""
    name = settings.EXPUNGE_SIGNERS
    try:
        usable = not name or callable(import_string(name))
    except ImportError:
        usable = False
    if usable:
        return []
    return [
        checks.Error(
            f"EXPUNGE_SIGNERS is {name!r}; it must be the dotted name of a function that can be "
            "imported.",
            hint=HINT,
            id="expunge.E050",
        )
    ]
