"""Settings of what every answer tells a browser: https only, no frames, nothing from elsewhere."""

from __future__ import annotations

import os

from csp.constants import NONE, SELF

from config import environment, sign_in

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "CSRF_COOKIE_SECURE",
    "CSRF_FAILURE_VIEW",
    "CSRF_TRUSTED_ORIGINS",
    "EXPUNGE_TRUSTED_PROXIES",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_REFERRER_POLICY",
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_SECURE",
    "SILENCED_SYSTEM_CHECKS",
    "SITE_URL",
    "X_FRAME_OPTIONS",
]

SITE_URL = os.environ.get("EXPUNGE_SITE_URL", "http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS, CSRF_FAILURE_VIEW = [SITE_URL], "audits.views.errors.csrf_failure"
_https = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
# Browsers' list of hosts is for whole domains, and hard to leave: whoever owns the domain says so.
SECURE_HSTS_PRELOAD = environment.flag("EXPUNGE_HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # for that reason
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
# Whose X-Forwarded-For is believed; audits/views/limiter.py reads on over their addresses.
EXPUNGE_TRUSTED_PROXIES = environment.networks("EXPUNGE_TRUSTED_PROXIES")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        # A form may lead to whoever vouches for staff, where there is such a service.
        "form-action": [SELF, *sign_in.ISSUER_ORIGIN],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
