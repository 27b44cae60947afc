"""Turn the clock of an installation, and slow its disk and store down: see ``bent.c``."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
_FORM = "<qqq"
MOST = 0.02  # seconds; a case opens some hundred files, and must come to its end


@dataclass
class Dials:
    """What the processes of one installation are told of time, and how slow disk and store are."""

    file: Path
    library: Path
    ahead: int = 0  # nanoseconds
    slow: int = 0  # microseconds that each fsync takes longer
    away: int = 0  # microseconds that each open, read and write in the store takes longer

    @property
    def environ(self) -> dict[str, str]:
        """What those processes need in their environment."""
        return {"LD_PRELOAD": str(self.library), "EXPUNGE_FAULT_DIALS": str(self.file)}

    def turn(self, seconds: float) -> None:
        """Let the clock jump."""
        self.ahead += int(seconds * 1_000_000_000)
        self._write()

    def drag(self, seconds: float, *, store: float = 0.0) -> None:
        """Let each fsync, and each open, read and write in the store, take so much longer.

        Raises:
            ValueError: ``store`` is more than a case could end with.
        """
        if not 0 <= store <= MOST:
            raise ValueError(f"store is {store:g} s; allowed is 0 to {MOST:g}.")
        self.slow, self.away = int(seconds * 1_000_000), int(store * 1_000_000)
        self._write()

    def _write(self) -> None:
        with self.file.open("r+b") as file:  # in place, as it is mapped by others
            file.write(struct.pack(_FORM, self.ahead, self.slow, self.away))


def dials(folder: Path) -> Dials | None:
    """Return dials that stand at nothing, or None where no C compiler is installed."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "bent.so"
    argv = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(argv, check=True)
    made = Dials(file=folder / "dials", library=library)
    made.file.write_bytes(struct.pack(_FORM, 0, 0, 0))
    return made
