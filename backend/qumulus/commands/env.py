"""`qumulus env`: the environment in which a family's clients find the local cloud."""

from __future__ import annotations

import json as jsonlib
from typing import Annotated

import typer

from qumulus.clients import FAMILIES
from qumulus.serving.server import read_settings

from .namespaces import names
from .options import Json, Url, fail
from .shells import Shell, comment, setting

FamilyName = Annotated[str, typer.Argument(metavar="|".join(FAMILIES), autocompletion=lambda: list(FAMILIES))]


def env(
    family: FamilyName,
    url: Url,
    namespace: Annotated[
        str | None,
        typer.Option(autocompletion=names, help="For clients of a namespace: their token leads there."),
    ] = None,
    shell: Annotated[Shell, typer.Option(help="The shell, or the kind of file, to write for.")] = Shell.BASH,
    json: Json = False,
) -> None:
    """Print what clients need: eval "$(qumulus env ibm)"."""
    if family not in FAMILIES:
        fail(f"There is no family {family!r}: say one of {', '.join(FAMILIES)}.", 2)
    chosen = FAMILIES[family]
    token = read_settings([]).token.get_secret_value()
    variables = chosen.environment(url, token, namespace=namespace)
    if json:
        typer.echo(jsonlib.dumps(variables, indent=2))
        return
    lines = [comment(shell, chosen.advice(url))]
    try:
        lines += [setting(shell, name, value) for name, value in variables.items()]
    except ValueError as error:
        fail(str(error))
    typer.echo("\n".join(line for line in lines if line is not None))
