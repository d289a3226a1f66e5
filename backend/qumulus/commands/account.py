"""`qumulus account save`: an entry for this cloud in the IBM client's own file of accounts."""

from __future__ import annotations

import json as json_module
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from qumulus.apis.ibm.untouched import ACCOUNTS
from qumulus.clients import FAMILIES
from qumulus.serving.server import read_settings

from . import show
from .options import Json, Url, fail

REAL = "https://cloud.ibm.com"
ENVIRONMENT = ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def account() -> None:
    """So that `save` is a word of its own, though it is the only one."""


@app.command("save")
def save(
    url: Url,
    name: Annotated[str, typer.Option(help="The name of the account: QiskitRuntimeService(name=NAME).")] = "qumulus",
    instance: Annotated[str, typer.Option(help="The CRN or name of an instance.")] = FAMILIES["ibm"].instance,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="The cloud's proxy, such as http://127.0.0.1:8443: from qiskit-ibm-runtime 0.47 on no variable is needed then."
        ),
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Take it where a script names no account.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an account of that name.")] = False,
    file: Annotated[Path | None, typer.Option(help="The file of accounts.", show_default=f"~/{ACCOUNTS}")] = None,
    json: Json = False,
) -> None:
    """Save an account for QiskitRuntimeService(name="qumulus")."""
    token = read_settings([]).token.get_secret_value()
    variables = FAMILIES["ibm"].environment(url, token, instance)
    saved: dict[str, Any] = {
        "channel": "ibm_quantum_platform",
        "instance": instance,
        "private_endpoint": False,
        "token": token,
        "url": REAL if proxy else variables["QISKIT_IBM_URL"],
        "verify": not proxy,  # the proxy is on this machine, and its certificate is known to nobody
    }
    if proxy:
        saved["proxies"] = {"urls": {"https": proxy}}
    if default:
        saved["is_default_account"] = True
    target = file or Path.home() / ACCOUNTS
    accounts = _read(target)
    others = [other for other, known in accounts.items() if other != name and known.get("is_default_account")]
    if name in accounts and not overwrite:
        fail(f"{target} has an account named {name}: choose another --name, or replace it with --overwrite.")
    if default and others:
        fail(f"{target} has a default account, {others[0]}: remove that from it first, or leave --default out.")
    _write(target, accounts | {name: saved})
    needed = {} if proxy else {variable: variables[variable] for variable in ENVIRONMENT}
    if json:
        show.as_json({"name": name, "file": str(target), "needs": needed})
        return
    typer.echo(f'Saved: QiskitRuntimeService(name="{name}").')
    if needed:
        words = " ".join(f"{variable}={value}" for variable, value in needed.items())
        typer.echo(f"The client needs these variables beside it (qumulus env ibm): {words}")


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json_module.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(known, dict) for known in content.values()):
        fail(f"{file} is no file of accounts that can be read: mend it or move it away.")
    return content


def _write(file: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, readable by its owner alone: it holds tokens."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
            json_module.dump(content, new, indent=4, sort_keys=True)
        os.replace(new.name, file)
    except OSError as error:
        fail(f"{file} can't be written: {error.strerror}.")
