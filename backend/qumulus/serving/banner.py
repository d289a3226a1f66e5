"""The text that a fresh start prints: where things are, in a form to copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from qumulus import __version__
from qumulus.clients import OQTOPUS, Family
from qumulus.settings import Settings

PROVIDER = """
  OQTOPUS Provider API: {url}/jobs with the header x-api-key, of QUMULUS_PROVIDER_KEY (qumulus-provider if not set)
"""


def banner(url: str, settings: Settings, families: Iterable[Family]) -> str:
    """A few lines for a person who has just started the cloud at ``url`` with the APIs of ``families``."""
    clients = "".join(environment(family, url, settings) for family in families if _reaches(family, settings))
    if settings.front == "provider":
        clients = PROVIDER.format(url=url) + clients
    return f"""\
Qumulus {__version__}: a quantum cloud on {url}

  Try it out      {url}/docs
  First job       curl -s {url}/task -H 'content-type: application/json' -d '{{"device": "Kawasaki", "n_shots": 1000, "code": "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"}}'
  State           {settings.home.absolute()}
{clients}
Stop with Ctrl-C; what was accepted is kept and goes on at the next start."""


def _reaches(family: Family, settings: Settings) -> bool:
    """Whether the paths that its clients ask for are its own here: in front, the Provider API has those of OQTOPUS."""
    return not (settings.front == "provider" and family is OQTOPUS)


def environment(family: Family, url: str, settings: Settings) -> str:
    """Return what the clients of a family need, in a form to copy. A credential of one's own is not shown: `qumulus env` prints it."""
    heading = f'\n  {family.title}: eval "$(qumulus env {family.name} --url {url})"'
    if "token" not in settings.default_credentials:
        return heading + "\n"
    variables = family.environment(url, settings.token.get_secret_value())
    return (
        heading + ", or\n" + "".join(f"    export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    )
