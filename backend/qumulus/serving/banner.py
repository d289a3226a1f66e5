"""The text that a fresh start prints: where things are, in a form to copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from qumulus import __version__
from qumulus.apis.families import apis
from qumulus.clients import FAMILIES, TITLES
from qumulus.settings import Settings


def banner(url: str, settings: Settings, names: Iterable[str]) -> str:
    """A few lines for a person who has just started the cloud at ``url`` with the APIs of the families of these ``names``."""
    front = next((api for api in apis() if api.name == settings.front and api.in_front), None)
    hidden = front.in_front if front else ()  # paths that are another API's here than the clients ask for
    clients = "".join(environment(name, url, settings) for name in names if FAMILIES[name].path not in hidden)
    if front and front.front_note:
        clients = f"\n  {front.front_note.format(url=url)}\n{clients}"
    seeded = (
        ""
        if settings.seed is None
        else f"\n  Seed            {settings.seed}: what is sent in the same order has the same ids and counts"
    )
    return f"""\
Qumulus {__version__}: a quantum cloud on {url}

  Try it out      {url}/docs
  First job       curl -s {url}/task -H 'content-type: application/json' -d '{{"device": "Kawasaki", "n_shots": 1000, "code": "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"}}'
  State           {settings.home.absolute()}{seeded}
{clients}
Stop with Ctrl-C; what was accepted is kept and goes on at the next start."""


def environment(name: str, url: str, settings: Settings) -> str:
    """Return what the clients of a family need, in a form to copy. A credential of one's own is not shown: `qumulus env` prints it."""
    heading = f'\n  {TITLES[name]}: eval "$(qumulus env {name} --url {url})"'
    if "token" not in settings.default_credentials:
        return heading + "\n"
    variables = FAMILIES[name].environment(url, settings.token.get_secret_value())
    return (
        heading
        + ", or\n"
        + "".join(f"    export {variable}={shlex.quote(value)}\n" for variable, value in variables.items())
    )
