"""A shell that is given one step after another, and a browser's share of the first hour."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_END = "\x1eended "  # no command says this


class Session:
    """One bash for many steps: what a step exports or leaves running is there for the next."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._file = folder / ".git" / "step.sh"
        self._shell = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environ,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End the shell, and what it left running."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGTERM)
        self._shell.communicate()

    def run(self, text: str) -> tuple[int, str]:
        """Return with what a step ended, and what it said; it stops at the first error."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        # Sourced, so that no command reads the steps that follow as its input.
        self._file.write_text(f"set -eo pipefail\n{text}")
        self._shell.stdin.write(
            f'trap \'printf "{_END}%s\\n" "$?"\' EXIT\n'
            f". '{self._file}' < /dev/null\nset +e\nprintf '{_END}0\\n'\n"
        )
        self._shell.stdin.flush()
        said: list[str] = []
        for line in self._shell.stdout:
            before, found, code = line.partition(_END)
            said.append(before)
            if found:
                return int(code), "".join(said)
        return 1, "".join(said)


def free_port() -> int:
    """Return a port of this machine that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(address: str, serving: subprocess.Popen[bytes], seconds: float = 300) -> bool:
    """Return whether the site answers, while its process lives."""
    until = time.monotonic() + seconds
    while serving.poll() is None and time.monotonic() < until:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(address, timeout=5).close()
            return True
        time.sleep(0.5)
    return False


def pages_of_staff(site: str, name: str, password: str) -> Callable[[str], str]:
    """Log in as staff do, and return what reads a page."""
    cookies = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    login = f"{site}/accounts/login/"
    opener.open(login, timeout=30).close()
    token = next(one.value for one in cookies if one.name == "csrftoken")
    form = {"username": name, "password": password, "csrfmiddlewaretoken": token or ""}
    opener.open(login, urllib.parse.urlencode(form).encode(), timeout=30).close()

    def page(path: str) -> str:
        with opener.open(f"{site}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    return page
