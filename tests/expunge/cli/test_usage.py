"""What the command ``expunge`` says of itself: completion, its page, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

import expunge
from expunge.cli.main import cli
from expunge.cli.session import Exit
from tests.expunge import cli_page
from tests.expunge.cli.runs import run
from tests.expunge.platforms import Platform, problem


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_to_complete(shell):
    done = run(Platform(problem(503)), "completion", shell)
    assert done.exit_code == 0
    assert f"_EXPUNGE_COMPLETE={shell}_complete" in done.stdout


def test_the_completion_knows_verbs_and_values():
    environ = {
        **os.environ,
        "_EXPUNGE_COMPLETE": "bash_complete",
        "COMP_WORDS": "expunge version list --state W",
        "COMP_CWORD": "4",
    }
    done = subprocess.run(
        [sys.executable, "-m", "expunge"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["plain,WITHDRAWN"]


def test_the_command_tells_its_version():
    assert run(Platform(problem(503)), "--version").stdout.split()[-1] == expunge.__version__


def test_the_page_documents_every_command_as_it_explains_itself():
    page = cli_page.PAGE.read_text()
    assert page == cli_page.page_text(page), "run python -m tests.expunge.cli_page"
    for name in cli_page.commands(cli):
        assert f"### `expunge {name}`" in page


def test_the_page_explains_every_exit_code():
    page = cli_page.PAGE.read_text()
    assert [code for code in Exit if f"| {int(code)} |" not in page] == []


def test_no_command_takes_the_key():
    options = {
        option
        for command in cli_page.commands(cli).values()
        for one in command.params
        if isinstance(one, click.Option)
        for option in one.opts
    }
    assert {"--json", "--email"} <= options
    assert {"--api-key", "--token", "--password"} & options == set()
