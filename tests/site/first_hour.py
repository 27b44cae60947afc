"""Run every block of docs/first-hour.md, in order: python -m tests.site.first_hour.

Files are written where their titles say, and the rest is one bash session beside a server. In an
environment that is installed already, `make` is left out. It takes some minutes.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from config.services.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-hour.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
OWN_TERMINAL = "in a terminal of its own"
SERVED = Path("first-hour", "served.txt")


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Return language, title and text of each block."""
    return [(found[1], found[2] or "", found[3]) for found in BLOCK.finditer(page)]


def script(page: str) -> tuple[str, str, str]:
    """Return what is done before the server runs, the server, and what is done beside it."""
    before, server, beside = "", "", ""
    for language, title, text in blocks(page):
        if title == OWN_TERMINAL:
            server = text
            continue
        # The newline that ends a here-document is the one that ends the file.
        step = text if language == "sh" else f"cat > {title} <<'END_OF_FILE'\n{text}END_OF_FILE\n"
        before, beside = (before, beside + step) if server else (before + step, beside)
    return before, server, beside


def adapted(text: str, *, home: str, port: int, receiver: int) -> str:
    """Return a block for an installed environment, other ports and another home than var/."""
    text = re.sub(r"\bmake (demo|serve)$", r"python manage.py \1", text, flags=re.MULTILINE)
    text = text.replace("manage.py serve\n", f"manage.py serve --port {port}\n")
    text = text.replace(". .venv/bin/activate\n", "")
    text = text.replace(":8000", f":{port}").replace("8009", str(receiver))
    return re.sub(r"\bvar/", f"{home}/", text)


def run(home: str) -> int:
    """Run the page in a home; return the exit code of its last block."""
    port = free_port(host="127.0.0.1")
    receiver = free_port(host="127.0.0.1")
    page = adapted(PAGE.read_text(), home=home, port=port, receiver=receiver)
    before, server, beside = script(page)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "EXPUNGE_HOME": home, "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-e"], input=before, text=True, cwd=ROOT, env=environ, check=True)
    with subprocess.Popen(["bash", "-c", f"exec env {server}"], cwd=ROOT, env=environ) as serving:
        try:
            wait_for(f"http://127.0.0.1:{port}/erasure/", serving)
            ended = session(beside, environ)
        finally:
            serving.terminate()
    if ended:
        return ended
    served = {line.split()[0] for line in (Path(home) / SERVED).read_text().splitlines()}
    if len(served) != 2:
        sys.exit(f"The service answered by {len(served)} version(s), and should by two.")
    return 0


def session(steps: str, environ: dict[str, str]) -> int:
    """Run steps as one bash session and end what they leave running; return its exit code."""
    shell = subprocess.Popen(
        ["bash", "-ex"],
        stdin=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environ,
        start_new_session=True,
    )
    try:
        shell.communicate(steps)
        return shell.returncode
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)


def wait_for(address: str, serving: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Return when the site answers."""
    until = time.monotonic() + seconds
    while serving.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"The site did not come up at {address}.")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(run(sys.argv[1] if len(sys.argv) > 1 else scratch))
