"""System checks of sign-in: a service that vouches for staff must be usable and be meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "See docs/sign-in.md."
HERE = {"localhost", "127.0.0.1", "::1"}


@checks.register()
def the_issuer_can_be_asked(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse a service that is described by halves, or would be asked in the clear."""
    return [checks.Error(said, hint=HINT, id="expunge.E090") for said in _wrong()]


@checks.register(deploy=True)
def deciding_takes_more_than_a_password(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn where a password alone can have data erased."""
    if settings.EXPUNGE_SECOND_FACTOR != "OPTIONAL":
        return []
    said = "EXPUNGE_SECOND_FACTOR is OPTIONAL: whoever learns a password can have data erased."
    return [checks.Warning(said, hint=f"Set DECIDING or ALL. {HINT}", id="expunge.W090")]


def _wrong() -> Iterator[str]:
    issuer, file = settings.EXPUNGE_OIDC_ISSUER, settings.EXPUNGE_OIDC_SECRET_FILE
    named = {"CLIENT": settings.EXPUNGE_OIDC_CLIENT, "SECRET_FILE": file}
    if not issuer:
        for name, value in named.items():
            if value:
                yield f"EXPUNGE_OIDC_{name} is set and EXPUNGE_OIDC_ISSUER is not."
        return
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
        yield f"EXPUNGE_OIDC_ISSUER is {issuer!r}; it must begin with https://."
    for name, value in named.items():
        if not value:
            yield f"EXPUNGE_OIDC_ISSUER is set and EXPUNGE_OIDC_{name} is not."
    if file and not (Path(file).is_file() and Path(file).read_text().strip()):
        yield f"EXPUNGE_OIDC_SECRET_FILE is {file!r}; there is no such file, or it is empty."
