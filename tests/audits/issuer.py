"""A small service that vouches for people by OpenID Connect: the code flow with PKCE."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CLIENT, SECRET = "expunge", "issued beforehand"
KEY = "a key of the issuer that is long enough"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Issuer:
    """Vouches for ``claims`` to whoever has the secret, the code and what that was asked with."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.since: float | None = 0.0  # seconds since somebody signed in here; None: not said
        self.asked: dict[str, str] = {}
        self.broken: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []
        self.url = ""

    def approve(self, address: str) -> str:
        """Do what a person does who is sent to the service; return where it sends them back."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert address.startswith(f"{self.url}/authorize?")
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        self.asked = asked
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        answer = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{answer}"

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as WSGI."""
        path = environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        if path in self.broken:
            return self._said(start, {}, "503 Service Unavailable")
        if path == "/.well-known/openid-configuration":
            return self._said(start, self._configuration())
        if path == "/token":
            return self._said(start, *self._token({k: v[0] for k, v in parse_qs(body).items()}))
        assert environ["HTTP_AUTHORIZATION"] == "Bearer a-token"
        return self._said(start, self.claims)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _token(self, given: dict[str, str]) -> tuple[dict[str, Any], str]:
        asked = self.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        proof = urlsafe_b64encode(digest).decode().rstrip("=")
        if given.get("client_secret") != SECRET or not asked or asked["code_challenge"] != proof:
            self.refused.append("code")
            return {"error": "invalid_grant"}, "400 Bad Request"
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, **self.claims}
        if self.since is not None:
            said["auth_time"] = now - self.since
        token = jwt.encode(said, KEY, algorithm="HS256")
        return {"access_token": "a-token", "token_type": "Bearer", "id_token": token}, "200 OK"

    def _said(
        self, start: Callable[..., Any], what: dict[str, Any], status: str = "200 OK"
    ) -> Iterable[bytes]:
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(what).encode()]


@contextmanager
def serving() -> Iterator[Issuer]:
    """Serve an issuer on a free port of this machine."""
    issuer = Issuer()
    with make_server("127.0.0.1", 0, issuer, handler_class=Quiet) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
