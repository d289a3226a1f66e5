"""`qumulus tokens`: credentials of the emulated APIs."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from qumulus.apis.families import credentials

from . import accounts, show
from .cloud import Cloud, at
from .completion import completing
from .namespaces import names, within
from .options import Json, Url

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

MOST_DAYS = 36525  # a century: beyond some thousand years there are no dates

identifiers = completing(
    "/emulator/tokens",
    lambda page: [(token["id"], token["api"]) for token in page["tokens"] if not token["built_in"]],
)


Api = StrEnum("Api", [(scheme.upper(), scheme) for scheme in credentials()])  # whose clients send the token


@app.command("list")
def list_tokens(url: Url, json: Json = False) -> None:
    """List the tokens that are let in; their secrets are not kept."""
    tokens = Cloud(url).get("/emulator/tokens")["tokens"]
    if json:
        show.as_json(tokens)
        return
    rows = (
        (
            token["id"],
            token["api"],
            token["account"],
            show.moment(token["expires_at"]),
            show.moment(token["used_at"]),
            token["built_in"],
        )
        for token in tokens
    )
    show.table(("token", "API", "account", "expires", "used", "built in"), rows)


@app.command("create")
def create(
    api: Annotated[Api, typer.Argument(metavar="|".join(Api), help="Whose clients send it.")],
    url: Url,
    days: Annotated[
        float | None, typer.Option(min=0, max=MOST_DAYS, help="For so many days; for ever if not said.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Whose it is.", autocompletion=accounts.identifiers, show_default="local")
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(autocompletion=names, help="The namespace that it leads to; the server's own cloud if not said."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a token and print its secret, this once."""
    cloud, body = Cloud(url if namespace is None else within(url, namespace)), {"api": api.value}
    if account is not None:
        body["account"] = account
    if days is not None:
        body["expires_at"] = (
            datetime.fromisoformat(cloud.get("/emulator/clock")["now"]) + timedelta(days=days)
        ).isoformat()
    made = cloud.post("/emulator/tokens", body)
    if json:
        show.as_json(made)
    else:
        typer.echo(made["secret"])


@app.command("revoke")
def revoke(
    token: Annotated[
        str, typer.Argument(metavar="TOKEN", autocompletion=identifiers, help="The identifier of a token.")
    ],
    url: Url,
    json: Json = False,
) -> None:
    """Let a token in no more."""
    Cloud(url).delete(at("tokens", token))
    if json:
        show.as_json({"revoked": token})
    else:
        typer.echo(f"{token} is let in no more.")
