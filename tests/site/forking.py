"""Management commands without the wait for Django: a process that is ready forks for each.

``blocks.py`` puts a ``python`` on the path of its sessions that hands ``manage.py ...`` to this
process and everything else to the interpreter. A command has the session's folder, environment
and files, and runs as ``manage.py`` runs it; settings are those of the process that forks.
"""

from __future__ import annotations

import array
import json
import os
import socket
import sys
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STARTER = """#!{python} -ISs
import json, os, socket, sys
if sys.argv[1:2] != ["manage.py"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
asked = socket.socket(socket.AF_UNIX)
asked.connect({address!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(asked, [len(said).to_bytes(8, "big")], [0, 1, 2])
asked.sendall(said)
sys.exit(int.from_bytes(asked.recv(1), "big"))
"""


def starter(folder: Path, address: Path) -> Path:
    """Write the program ``python`` into a new folder, and return the folder."""
    folder.mkdir()
    program = folder / "python"
    program.write_text(STARTER.format(python=sys.executable, address=str(address)))
    program.chmod(0o755)
    return folder


def serve(address: str) -> None:
    """Answer one command after the other until this process is ended."""
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("check", stdout=StringIO())  # reads all that commands would read, each by itself
    connections.close_all()  # a child has its own
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        while True:
            asked, _ = listening.accept()
            with asked:
                answer(asked)


def answer(asked: socket.socket) -> None:
    """Run one command in a child, and send its exit code."""
    size, files, _, _ = socket.recv_fds(asked, 8, 3)
    words, folder, environ = json.loads(whole(asked, int.from_bytes(size, "big")))
    child = os.fork()
    if child == 0:
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.chdir(folder)
        os.environ.update(environ)
        command(words)
    for file in files:
        os.close(file)
    _, status = os.waitpid(child, 0)
    asked.sendall(os.waitstatus_to_exitcode(status).to_bytes(1, "big"))


def whole(asked: socket.socket, size: int) -> bytes:
    found = array.array("B")
    while len(found) < size:
        found.frombytes(asked.recv(size - len(found)))
    return found.tobytes()


def command(words: list[str]) -> None:
    """Do what ``manage.py`` does, and end this process with its exit code."""
    from django.core.management import execute_from_command_line

    code = 1
    try:
        sys.argv = words
        execute_from_command_line(words)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    serve(sys.argv[1])
