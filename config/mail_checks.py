"""System checks of letters: they must reach somebody, from somebody, and not in the clear."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks

from config.environment import secret_in
from config.sign_in_checks import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "See docs/operations.md."
# Of Django's own, these show letters to whoever runs the site, or to nobody.
NOWHERE = {
    f"django.core.mail.backends.{name}.EmailBackend"
    for name in ("filebased", "console", "dummy", "locmem")
}
# What the code has, and what the files of deploy/ have.
EXAMPLES = {"EXPUNGE_CONTROLLER": ("Example Controller", "Your Organisation")}
EXAMPLES |= {"EXPUNGE_CONTACT": ("privacy@localhost", "privacy@example.org")}
EXAMPLE_DOMAINS = {"example.org", "example.com", "example.net"}  # RFC 2606


@checks.register()
def the_mail_server_can_be_used(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse a log-in at the mail server that is described by halves, or would be overheard."""
    return [checks.Error(said, hint=HINT, id="expunge.E074") for said in _refused()]


@checks.register(deploy=True)
def letters_reach_people(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn of letters that stay here, cross the network in the clear or come from an example."""
    return [checks.Warning(said, hint=HINT, id="expunge.W074") for said in _warned()]


def _refused() -> Iterator[str]:
    file, user = settings.EXPUNGE_EMAIL_PASSWORD_FILE, settings.EMAIL_HOST_USER
    if bool(file) != bool(user):
        given, lacking = ("PASSWORD_FILE", "USER") if file else ("USER", "PASSWORD_FILE")
        yield f"EXPUNGE_EMAIL_{given} is set and EXPUNGE_EMAIL_{lacking} is not."
    if file and not secret_in(file):
        yield (
            f"EXPUNGE_EMAIL_PASSWORD_FILE is {file!r}; it must be a file that this process may "
            "read and that holds the password."
        )
    for name, value in (("USER", user), ("PASSWORD_FILE", secret_in(file))):
        if not value.isascii():
            yield f"EXPUNGE_EMAIL_{name} has letters that mail servers are not sent: ASCII alone."
    if user and _overheard():
        yield (
            f"EXPUNGE_EMAIL_TLS is NONE, and EXPUNGE_EMAIL_HOST is {settings.EMAIL_HOST!r}: the "
            "password would be sent in the clear. Set STARTTLS or TLS."
        )


def _warned() -> Iterator[str]:
    if settings.EMAIL_BACKEND in NOWHERE:
        yield (
            f"EXPUNGE_EMAIL_BACKEND is {settings.EMAIL_BACKEND}: no letter leaves this site, so "
            "nobody can confirm a request or learns of an answer. Set "
            "django.core.mail.backends.smtp.EmailBackend, and the mail server."
        )
    elif _overheard() and not settings.EMAIL_HOST_USER:  # which is refused anyway
        yield (
            f"EXPUNGE_EMAIL_TLS is NONE, and EXPUNGE_EMAIL_HOST is {settings.EMAIL_HOST!r}: "
            "letters with secret links are sent in the clear. Set STARTTLS or TLS."
        )
    sender = settings.DEFAULT_FROM_EMAIL
    if parseaddr(sender)[1].rpartition("@")[2] in {"", *HERE, *EXAMPLE_DOMAINS}:
        yield f"EXPUNGE_EMAIL_FROM is {sender!r}, to which nobody can answer."
    for name, examples in EXAMPLES.items():
        if (value := getattr(settings, name)) in examples:
            yield (
                f"{name} is {value!r}, an example: letters and pages name it, unless a stored "
                "policy value does."
            )


def _overheard() -> bool:
    return settings.EXPUNGE_EMAIL_TLS == "NONE" and settings.EMAIL_HOST not in HERE
