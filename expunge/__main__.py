"""``python -m expunge`` is the command ``expunge``."""

from __future__ import annotations

from expunge.cli.main import main

if __name__ == "__main__":
    main()
