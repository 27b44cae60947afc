"""Turn the clock of an installation, and slow its disk down: see ``bent.c``."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
_FORM = "<qq"


@dataclass
class Dials:
    """What the processes of one installation are told of the time, and how slow its disk is."""

    file: Path
    library: Path
    ahead: int = 0  # nanoseconds
    slow: int = 0  # microseconds that each fsync takes longer

    @property
    def environ(self) -> dict[str, str]:
        """What those processes need in their environment."""
        return {"LD_PRELOAD": str(self.library), "EXPUNGE_FAULT_DIALS": str(self.file)}

    def turn(self, seconds: float) -> None:
        """Let the clock jump."""
        self.ahead += int(seconds * 1_000_000_000)
        self._write()

    def drag(self, seconds: float) -> None:
        """Let each fsync take so much longer."""
        self.slow = int(seconds * 1_000_000)
        self._write()

    def _write(self) -> None:
        with self.file.open("r+b") as file:  # in place, as it is mapped by others
            file.write(struct.pack(_FORM, self.ahead, self.slow))


def dials(folder: Path) -> Dials | None:
    """Return dials that stand at nothing, or None where no C compiler is installed."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "bent.so"
    argv = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(argv, check=True)
    made = Dials(file=folder / "dials", library=library)
    made.file.write_bytes(struct.pack(_FORM, 0, 0))
    return made
