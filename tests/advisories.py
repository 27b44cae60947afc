"""Ask for known weaknesses of the pinned packages: ``python -m tests.advisories``.

pip-audit asks the advisory service of PyPI. Where that cannot be reached, or knows none of the
packages (a mirror that answers for everything), it is said that nothing was asked, and that is
no failure unless ``--must`` is given. A known weakness is one, and so is any other error.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PIP_AUDIT = ROOT / "var" / "audit" / "bin" / "pip-audit"
AWAY = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|ServiceError|"
    r"Could not connect|Max retries exceeded|Temporary failure"
)
WELL, FOUND, NOT_ASKED = 0, 1, 2


def main(words: list[str], program: Path = PIP_AUDIT) -> int:
    """Print what was found; return 1 for a weakness, or where nothing was asked and must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--must", action="store_true", help="fail where nothing could be asked")
    must = parser.parse_args(words).must
    outcome, said = asked(program)
    sys.stdout.write(f"{said}\n")
    return int(outcome == FOUND or (must and outcome == NOT_ASKED))


def asked(program: Path) -> tuple[int, str]:
    """Return what came of asking, and sentences for people."""
    if not program.exists():
        return NOT_ASKED, not_asked("pip-audit could not be installed")
    given = ["--disable-pip", "--no-deps", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(
        [program, *given, "-r", "constraints.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return judged(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError, TypeError):
        if AWAY.search(done.stderr):
            return NOT_ASKED, not_asked("the advisory service cannot be reached")
        return FOUND, f"pip-audit failed: {done.stderr.strip()[-2000:]}"


def judged(packages: list[dict[str, Any]]) -> tuple[int, str]:
    """Return what is to be said of the packages in an answer of pip-audit."""
    known = [one for one in packages if "vulns" in one]
    if not known:
        return NOT_ASKED, not_asked("the advisory service knows none of the packages here")
    weak = [sentence(one, each) for one in known for each in one["vulns"]]
    if weak:
        return FOUND, "\n".join(weak)
    left = [one["name"] for one in packages if "vulns" not in one]
    unknown = f" Not known to the service: {', '.join(left)}." if left else ""
    return WELL, f"{len(known)} pinned packages have no known weakness.{unknown}"


def sentence(package: dict[str, Any], weakness: dict[str, Any]) -> str:
    """Return what is known of one weakness of a package."""
    names = ", ".join([weakness["id"], *weakness.get("aliases", [])])
    fixed = ", ".join(weakness.get("fix_versions", [])) or "none yet"
    return f"{package['name']} {package['version']} has {names}; fixed in: {fixed}."


def not_asked(why: str) -> str:
    """Return the sentence that nobody may take for a clean bill."""
    return f"NOT AUDITED: {why}, so nothing is known of weaknesses of the pinned packages."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
