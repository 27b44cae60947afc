"""Settings of how members of staff sign in, for how long, and who vouches for them."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse_lazy

from config import environment

__all__ = [
    "ACCOUNT_ADAPTER",
    "ACCOUNT_EMAIL_VERIFICATION",
    "ACCOUNT_LOGIN_METHODS",
    "ACCOUNT_REAUTHENTICATION_TIMEOUT",
    "ACCOUNT_SIGNUP_FIELDS",
    "AUTHENTICATION_BACKENDS",
    "AUTH_PASSWORD_VALIDATORS",
    "EXPUNGE_LOCK_AFTER",
    "EXPUNGE_LOCK_MINUTES",
    "EXPUNGE_OIDC_CLIENT",
    "EXPUNGE_OIDC_ISSUER",
    "EXPUNGE_OIDC_NAME",
    "EXPUNGE_OIDC_SECRET_FILE",
    "EXPUNGE_REAUTH_MINUTES",
    "EXPUNGE_SECOND_FACTOR",
    "EXPUNGE_SESSION_HOURS",
    "EXPUNGE_SESSION_IDLE_MINUTES",
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "LOGOUT_REDIRECT_URL",
    "MFA_ADAPTER",
    "MFA_ALLOW_UNVERIFIED_EMAIL",
    "MFA_FORMS",
    "MFA_PASSKEY_LOGIN_ENABLED",
    "MFA_SUPPORTED_TYPES",
    "MFA_TOTP_ISSUER",
    "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
    "SOCIALACCOUNT_ADAPTER",
    "SOCIALACCOUNT_EMAIL_VERIFICATION",
    "SOCIALACCOUNT_PROVIDERS",
]

LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = reverse_lazy("audits:staff_home")
LOGOUT_REDIRECT_URL = reverse_lazy("audits:erasure_form")
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Who must have a second factor: nobody, those who decide, destroy or administer, or all staff.
EXPUNGE_SECOND_FACTOR = environment.choice(
    "EXPUNGE_SECOND_FACTOR", ("OPTIONAL", "DECIDING", "ALL")
)
# Whoever decides or destroys proves who they are when they last did so longer ago than this.
EXPUNGE_REAUTH_MINUTES = environment.integer("EXPUNGE_REAUTH_MINUTES", default=30)
# So many wrong passwords or codes lock an account; after so many minutes it opens by itself.
EXPUNGE_LOCK_AFTER = environment.integer("EXPUNGE_LOCK_AFTER", default=10)
EXPUNGE_LOCK_MINUTES = environment.integer("EXPUNGE_LOCK_MINUTES", default=30, low=0)
EXPUNGE_SESSION_IDLE_MINUTES = environment.integer("EXPUNGE_SESSION_IDLE_MINUTES", default=120)
EXPUNGE_SESSION_HOURS = environment.integer("EXPUNGE_SESSION_HOURS", default=12)

# A service that vouches for staff by OpenID Connect. It signs in accounts that there are.
EXPUNGE_OIDC_ISSUER = os.environ.get("EXPUNGE_OIDC_ISSUER", "").rstrip("/")
EXPUNGE_OIDC_CLIENT = os.environ.get("EXPUNGE_OIDC_CLIENT", "")
EXPUNGE_OIDC_NAME = os.environ.get("EXPUNGE_OIDC_NAME", "")
EXPUNGE_OIDC_SECRET_FILE = os.environ.get("EXPUNGE_OIDC_SECRET_FILE", "")
_issuer = urlsplit(EXPUNGE_OIDC_ISSUER)
ISSUER_ORIGIN = [f"{_issuer.scheme}://{_issuer.netloc}"] if EXPUNGE_OIDC_ISSUER else []
PROVIDER = "staff"


def oidc(*, issuer: str, client: str, name: str, secret: str) -> dict[str, Any]:
    """Return what django-allauth wants to know of the service, with PKCE.

    A service that is asked with a ``max_age`` must say when somebody signed in there.
    """
    app = {
        "provider_id": PROVIDER,
        "name": name or urlsplit(issuer).hostname,
        "client_id": client,
        "secret": secret,
        "settings": {
            "server_url": issuer,
            "oauth_pkce_enabled": True,
            "auth_params": {"max_age": str(3600 * EXPUNGE_SESSION_HOURS)},
        },
    }
    return {"openid_connect": {"APPS": [app] if issuer else [], "OAUTH_PKCE_ENABLED": True}}


SOCIALACCOUNT_PROVIDERS = oidc(
    issuer=EXPUNGE_OIDC_ISSUER,
    client=EXPUNGE_OIDC_CLIENT,
    name=EXPUNGE_OIDC_NAME,
    secret=environment.secret_in(EXPUNGE_OIDC_SECRET_FILE),
)
ACCOUNT_ADAPTER = "audits.views.sign_in_rules.StaffAccounts"
SOCIALACCOUNT_ADAPTER = "audits.views.sign_in_rules.VouchedStaff"
MFA_ADAPTER = "audits.views.sign_in_rules.SecondFactors"
MFA_FORMS = {
    "authenticate": "audits.views.sign_in.SecondFactorForm",
    "reauthenticate": "audits.views.sign_in.SecondFactorAgainForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * EXPUNGE_REAUTH_MINUTES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Expunge"
# Browsers take http://localhost for safe, where one tries this out; fido2 does not.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
