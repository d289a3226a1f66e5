"""`qumulus accounts`: who owns jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from . import show
from .cloud import Cloud
from .completion import completing
from .options import Json, Url

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

identifiers = completing(
    "/emulator/accounts", lambda page: [(account["id"], account["name"]) for account in page["accounts"]]
)


@app.command("list")
def list_accounts(url: Url, json: Json = False) -> None:
    """List the accounts; each sees its own jobs only."""
    accounts = Cloud(url).get("/emulator/accounts")["accounts"]
    if json:
        show.as_json(accounts)
    else:
        show.table(
            ("account", "name", "email"),
            ((account["id"], account["name"], account.get("email", "")) for account in accounts),
        )


@app.command("create")
def create(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its identifier: letters, digits, - and _.")],
    url: Url,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    email: Annotated[str | None, typer.Option(help="Its address.")] = None,
    json: Json = False,
) -> None:
    """Make an account; make a token for it next."""
    body = {"id": account, "name": name, "email": email}
    made = Cloud(url).post("/emulator/accounts", {key: value for key, value in body.items() if value is not None})
    if json:
        show.as_json(made)
    else:
        typer.echo(f"{account} is an account now: qumulus tokens create API --account {account}.")
