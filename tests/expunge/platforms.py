"""A platform that is played: what it answers, and what it was asked."""

from __future__ import annotations

from typing import Any

import httpx

from expunge.client import Client

URL, KEY = "https://expunge.example.org", "expunge_0_secret"
CASE = {"reference": "ER-1", "status": "RECEIVED"}


def problem(status, detail="No.", headers=(), **more: Any):  # noqa: ANN401
    return httpx.Response(
        status,
        json={"title": "T", "status": status, "detail": detail, **more},
        headers={"Content-Type": "application/problem+json", **dict(headers)},
    )


class Platform:
    """Gives prepared answers in turn, the last one for ever, and remembers what it was sent."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> Client:  # noqa: ANN401
        transport = httpx.MockTransport(self)
        return Client(URL, KEY, transport=transport, pause=self.pauses.append, **options)
