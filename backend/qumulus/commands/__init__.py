"""The command line for people: each command a module, most of them clients of the running cloud."""

from __future__ import annotations

import inspect
import sys
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from qumulus import __version__
from qumulus.serving import server

from . import account, accounts, devices, emulator, instances, jobs, services, sse, tokens
from .doctor import doctor, upgrade
from .env import env
from .keeping import backup, restore
from .options import Json
from .provider import provider
from .record import compare, record
from .run import run
from .status import reset, status, storage

app = typer.Typer(
    name="qumulus",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run what the command line says. What is wrong with it is told in one line."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        sys.exit("Nothing was done.")
    except TyperException as error:
        typer.echo(_told(error), err=True)
        sys.exit(error.exit_code)


def _told(error: TyperException) -> str:
    sentence = error.format_message()
    context: typer.Context | None = getattr(error, "ctx", None)
    if context is None or sentence == context.get_help():  # no arguments at all: the error is the help
        return sentence
    sentence = " ".join(sentence.split())
    end = "" if sentence.endswith((".", "?")) else "."
    return f"{sentence}{end} See `{context.command_path} --help`."


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qumulus {__version__}")
        raise typer.Exit


@app.callback()
def qumulus(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_say_version, is_eager=True, help="Say which Qumulus this is.")
    ] = False,
) -> None:
    """A quantum cloud that runs on your own machine."""


def serve(**_: object) -> None:
    """Start the cloud."""
    server.main(sys.argv[2:])


def _flag(name: str, kind: Any) -> inspect.Parameter:
    option = typer.Option("--" + name.replace("_", "-"))
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


# `qumulus.cli` hands the real call to the server, which reads its flags by itself; shells complete them from here.
serve.__signature__ = inspect.Signature(  # ty: ignore[missing-attribute]
    [_flag(name, bool if field.annotation is bool else str) for name, field in server.flags().items()]
)
app.command("serve", help="Start the cloud (see `qumulus serve --help`).")(serve)


@app.command(
    "worker",
    help="Run the jobs that servers accept (see `qumulus worker --help`).",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def worker(context: typer.Context) -> None:
    """Listed here for `--help`, as `serve` is."""
    from qumulus.serving.worker import main

    main(context.args)


app.command("run", context_settings={"allow_interspersed_args": False})(run)
app.command("record", context_settings={"allow_interspersed_args": False})(record)
app.command("compare")(compare)
app.command("env")(env)
app.add_typer(account.app, name="account", help="Accounts in the IBM client's own file.")
app.command("provider")(provider)
app.command("status")(status)
app.add_typer(devices.app, name="devices", help="Devices, and what is set for them.")
app.add_typer(jobs.app, name="jobs", help="The jobs of all accounts and APIs.")
app.add_typer(services.app, name="services", help="Programs of your own, as services of PLANQK.")
app.add_typer(sse.app, name="sse", help="What programs that come with OQTOPUS' jobs can import.")
app.add_typer(accounts.app, name="accounts", help="Who owns jobs.")
app.add_typer(instances.app, name="instances", help="Service instances of IBM Quantum.")
app.add_typer(tokens.app, name="tokens", help="Credentials of the emulated APIs.")
app.command("storage")(storage)
app.command("doctor")(doctor)
app.command("backup")(backup)
app.command("restore")(restore)
app.command("upgrade")(upgrade)
app.add_typer(emulator.app, name="emulator", help="What no cloud offers: its time, and faults on demand.")
app.command("reset")(reset)


@app.command("version")
def version(json: Json = False) -> None:
    """Say which Qumulus this is."""
    typer.echo(f'{{"version": "{__version__}"}}' if json else f"qumulus {__version__}")
