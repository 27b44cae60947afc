"""Do docs/first-hour.md from a clean clone: make first-hour, or python -m tests.site.first_hour.

The repository is cloned as it is committed; the server's environment, the wheel and the client's
environment are made there, and every block of the page is run in its order, on other ports. A step
is done when its commands end with 0 and say what the page says they say. Needs Python's library.

``make first-hour ARGS=FOLDER`` keeps all of it in a folder, and takes the server's environment
that is there.
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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.site.session import Session, free_port, pages_of_staff, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-hour.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]*)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
PART = re.compile(r"^## (.*)$", re.MULTILINE)
OWN_TERMINAL = "in a terminal of its own"
# What of the caller's shell would make a clean environment another one.
NOT_CLEAN = re.compile(
    r"EXPUNGE_|DJANGO_|PYTHON|VIRTUAL_ENV|DATABASE_URL|REDIS_URL|MAKE|MFLAGS|(ARGS|VENV|SEED)$"
)
# What is said by the commands with these words in them, if they did what the page says.
SAID = {
    "expunge health": r"^status +ready",
    "uniq -c": r"^version .*\n +\d+ ([0-9a-f-]{36}) 1\n +\d+ (?!\1)[0-9a-f-]{36} 1\n\Z",
    "var/first-hour/train.py\n": r"^version [0-9a-f-]{36}$",
    "lineage versions": r"^yes +my-digits v1 ",
    "/api/v1/cases": r"(?s)\"reference\":.*case\.received ER-",
    "standalone/verify.py": r"^VERIFIED\.",
}
# In a folder that was kept: what is committed now, and no data; the environment stays.
AGAIN = "git -C checkout pull --quiet --ff-only && rm -rf checkout/var"
WITHOUT_DJANGO = """python -I -c "
import importlib.util, expunge
assert '/site-packages/' in expunge.__file__, expunge.__file__
assert importlib.util.find_spec('django') is None, 'Django is there'
print(expunge.__version__, 'without Django')"
"""


class Untrue(Exception):
    """A step did not do what the page says."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done in one go: a part of the page, its commands, and what they must say."""

    part: str
    title: str
    text: str
    said: str = ""


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Return language, title and text of each block."""
    return [(found[1], found[2] or "", found[3]) for found in BLOCK.finditer(page)]


def steps(page: str) -> list[Step]:
    """Return the blocks of a page as steps; a file is written by the step that comes after it."""
    found, files = [], ""
    _, *parts = PART.split(page)
    for part, text in zip(parts[::2], parts[1::2], strict=True):
        for language, title, block in blocks(text):
            if language == "sh":
                whole, files = files + block, ""
                said = next((SAID[word] for word in SAID if word in block), "")
                found.append(Step(part=part, title=title, text=whole, said=said))
            else:
                # The newline that ends a here-document is the one that ends the file.
                files += f"cat > {title} <<'END_OF_FILE'\n{block}END_OF_FILE\n"
    return found


def on_ports(page: str, *, site: int, receiver: int) -> str:
    """Return a page for other ports than those that it names."""
    page = page.replace("make serve\n", f'make serve ARGS="--port {site}"\n')
    return page.replace(":8000", f":{site}").replace("8009", str(receiver))


class FirstHour:
    """The steps in a folder, each with its time."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not NOT_CLEAN.match(name)}
        self.environ = {**kept, "XDG_CONFIG_HOME": str(folder / "nothing")}
        self.folder, self.checkout = folder, folder / "checkout"
        self.site = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "server.log"

    def run(self) -> None:
        """Do all of it. Raises Untrue."""
        again = self.checkout.exists()
        with self.timed("0. Clone the repository: git clone"):
            self.alone(AGAIN if again else f"git clone --quiet '{ROOT}' checkout", self.folder)
        page = (self.checkout / PAGE.relative_to(ROOT)).read_text()
        port = int(self.site.rpartition(":")[2])
        todo = steps(on_ports(page, site=port, receiver=free_port()))
        server = next(place for place, one in enumerate(todo) if one.title == OWN_TERMINAL)
        with self.timed("1. Start the platform: make setup"):
            self.alone("make setup", self.checkout)
        for one in todo[:server]:
            with self.timed(named(one)):
                self.alone(one.text, self.checkout)
        with self.served(todo[server]), Session(self.checkout, self.environ) as session:
            for one in todo[server + 1 :]:
                self.beside(session, one)

    def beside(self, session: Session, step: Step) -> None:
        """Do a step in the terminal beside the server, and what proves it besides."""
        with self.timed(named(step)):
            self.check(step, *session.run(step.text))
        if "pip install" in step.text:
            with self.timed(f"{step.part}: it is the wheel, and Django is not there"):
                self.check(step, *session.run(WITHOUT_DJANGO))
        if "version list" in step.text:
            with self.timed(f"{step.part}: it is drawn on the page of the graph"):
                self.see_graph(session)

    def see_graph(self, session: Session) -> None:
        """Look at the graph around the model as the first member of staff."""
        login = re.search(r"^Staff login, shown once: (\S+) / (\S+)$", self.log.read_text(), re.M)
        ended, listed = session.run("expunge version list --model my-digits --json")
        version = re.search(r'"version": "([0-9a-f-]{36})"', listed)
        if ended or not login or not version:
            raise Untrue(f"There is no login or no version to look for.\n{listed}")
        page = pages_of_staff(self.site, *login.groups())(f"/models/graph/?version={version[1]}")
        if not re.search(r"<svg.*my-digits v1.*</svg>", page, re.DOTALL):
            raise Untrue(f"The graph does not show my-digits v1.\n{page}")

    def check(self, step: Step, ended: int, said: str) -> None:
        """Raise Untrue unless a step ended well and said what it must."""
        if ended:
            raise Untrue(f"It ended with {ended}.\n{said}")
        if not re.search(step.said, said, re.MULTILINE):
            raise Untrue(f"It should have said {step.said!r}.\n{said}")

    def alone(self, text: str, folder: Path) -> None:
        """Do a step in a shell of its own. Raises Untrue."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.check(Step(part="", title="", text=text), done.returncode, done.stdout)

    @contextlib.contextmanager
    def served(self, step: Step) -> Iterator[None]:
        """Run the server of the page, and end it afterwards."""
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                ["bash", "-c", f"exec env {step.text}"],
                cwd=self.checkout,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as serving,
        ):
            try:
                with self.timed(named(step)):
                    if not wait_for(f"{self.site}/erasure/", serving):
                        raise Untrue(f"The site did not come up.\n{self.log.read_text()}")
                yield
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(serving.pid, signal.SIGTERM)

    @contextlib.contextmanager
    def timed(self, title: str) -> Iterator[None]:
        """Print what is done and how long it took. Raises what was raised, with the title."""
        began = time.monotonic()
        try:
            yield
        except Untrue as error:
            print(f"{time.monotonic() - began:7.1f} s  NOT TRUE  {title}", flush=True)
            *_, end = ("", *str(error).split("\n", 1)[1:])
            print(str(error).partition("\n")[0], *end.splitlines()[-60:], sep="\n    ")
            raise
        print(f"{time.monotonic() - began:7.1f} s  done  {title}", flush=True)


def named(step: Step) -> str:
    """Return a step by its part of the page and its last command that says something."""
    lines = [one for one in step.text.splitlines() if one and not one.startswith((" ", "}"))]
    words = step.title if step.title == OWN_TERMINAL else lines[-1]
    return f"{step.part}: {words if len(words) < 70 else words[:67] + '...'}"


def main() -> int:
    """Do the first hour in the folder that is named, or a temporary one; 0 if all is true."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(*(sys.argv[1:] or [scratch])).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            FirstHour(folder).run()
        except Untrue:
            return 1
    print(f"{time.monotonic() - began:7.1f} s  All of it is true.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
