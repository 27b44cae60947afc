"""The command and its groups; ``expunge --help`` lists them."""

from __future__ import annotations

import click

from expunge.cli.cases import case
from expunge.cli.deployments import deployment
from expunge.cli.lineage import lineage
from expunge.cli.log import log
from expunge.cli.others import completion, health, verify
from expunge.cli.records import record
from expunge.cli.requests import request
from expunge.cli.serving import serve
from expunge.cli.session import Session, Verbs
from expunge.cli.subjects import subject
from expunge.cli.versions import version
from expunge.cli.webhooks import webhook
from expunge.version import VERSION


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", default="", help="Of the platform; else EXPUNGE_URL or the file.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=30.0, help="Seconds per answer."
)
@click.option("--insecure", is_flag=True, help="Allow http:// to another machine.")
@click.version_option(VERSION, prog_name="expunge")
@click.pass_context
def cli(context: click.Context, url: str, timeout: float, insecure: bool) -> None:  # noqa: FBT001
    """Ask an Expunge platform, and verify what it issued.

    The API key is read from EXPUNGE_API_KEY or from ~/.config/expunge/config.toml, and from no
    option.
    """
    context.ensure_object(Session).options.update(url=url, timeout=timeout, insecure=insecure)


for one in (
    request,
    case,
    version,
    record,
    subject,
    lineage,
    deployment,
    serve,
    webhook,
    log,
    health,
    verify,
    completion,
):
    cli.add_command(one)


def main() -> None:
    """Run the command line; it ends the process."""
    cli(prog_name="expunge")
