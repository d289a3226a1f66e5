"""`qumulus sse`: the packages of programs that come with OQTOPUS' sse jobs."""

from __future__ import annotations

import sys

import typer

from qumulus.serving import preparing

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Prepare what programs that come with jobs can import."""


@app.command("prepare")
def prepare() -> None:
    """Install the packages of programs in QUMULUS_HOME."""
    try:
        python = preparing.prepare(lambda text: typer.echo(text, err=True))
    except preparing.NotPrepared as error:
        sys.exit(str(error))
    typer.echo(python)
