"""The command line for people: each command a module, most of them clients of the running cloud."""

from __future__ import annotations

import typer

from qumulus import __version__

from . import account, devices, jobs, services, tokens
from .env import env
from .options import Json
from .run import run
from .status import reset, status

app = typer.Typer(
    name="qumulus",
    help="A quantum cloud that runs on your own machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(
    "serve",
    help="Start the cloud (see `qumulus serve --help`).",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def serve(context: typer.Context) -> None:
    """Listed here for `--help`; `qumulus.cli` hands the real call to `qumulus.server` before this module is imported."""
    from qumulus.server import main

    main(context.args)


app.command("run", context_settings={"allow_interspersed_args": False})(run)
app.command("env")(env)
app.add_typer(account.app, name="account", help="Accounts in the IBM client's own file.")
app.command("status")(status)
app.add_typer(devices.app, name="devices", help="Devices, and what is set for them.")
app.add_typer(jobs.app, name="jobs", help="The jobs of all accounts and APIs.")
app.add_typer(services.app, name="services", help="Programs of your own, as services of PLANQK.")
app.add_typer(tokens.app, name="tokens", help="Credentials of the emulated APIs.")
app.command("reset")(reset)


@app.command("version")
def version(json: Json = False) -> None:
    """Say which Qumulus this is."""
    typer.echo(f'{{"version": "{__version__}"}}' if json else f"qumulus {__version__}")
