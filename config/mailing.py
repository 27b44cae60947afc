"""Settings of the mail server that takes the letters, and of how they reach it."""

from __future__ import annotations

import os

from config import environment

__all__ = [
    "DEFAULT_FROM_EMAIL",
    "EMAIL_BACKEND",
    "EMAIL_HOST",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_HOST_USER",
    "EMAIL_PORT",
    "EMAIL_TIMEOUT",
    "EMAIL_USE_SSL",
    "EMAIL_USE_TLS",
    "EXPUNGE_EMAIL_PASSWORD_FILE",
    "EXPUNGE_EMAIL_TLS",
]

EMAIL_BACKEND = os.environ.get(
    "EXPUNGE_EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend"
)
# STARTTLS asks for TLS after a greeting in the clear and sends nothing without it (RFC 3207);
# TLS begins with it (RFC 8314). Either way the certificate must be one that this system trusts.
PORTS = {"NONE": 25, "STARTTLS": 587, "TLS": 465}
EXPUNGE_EMAIL_TLS = environment.choice("EXPUNGE_EMAIL_TLS", tuple(PORTS))
EMAIL_USE_TLS, EMAIL_USE_SSL = EXPUNGE_EMAIL_TLS == "STARTTLS", EXPUNGE_EMAIL_TLS == "TLS"
EMAIL_HOST = os.environ.get("EXPUNGE_EMAIL_HOST", "localhost")
EMAIL_PORT = environment.integer("EXPUNGE_EMAIL_PORT", default=PORTS[EXPUNGE_EMAIL_TLS])
EMAIL_HOST_USER = os.environ.get("EXPUNGE_EMAIL_USER", "")
EXPUNGE_EMAIL_PASSWORD_FILE = os.environ.get("EXPUNGE_EMAIL_PASSWORD_FILE", "")
EMAIL_HOST_PASSWORD = environment.secret_in(EXPUNGE_EMAIL_PASSWORD_FILE)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("EXPUNGE_EMAIL_FROM", "privacy@localhost")
