"""What a fresh start prints: where things are, in a form to copy."""

from __future__ import annotations

from . import __version__
from .settings import Settings


def banner(url: str, settings: Settings) -> str:
    """A few lines for a person who has just started the cloud at ``url``."""
    return f"""\
Qumulus {__version__}: a quantum cloud on {url}

  Try it out      {url}/docs
  First job       curl -s {url}/task -H 'content-type: application/json' -d '{{"device": "Kawasaki", "n_shots": 1000, "code": "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"}}'
  State           {settings.home.absolute()}

Stop with Ctrl-C; what was accepted is kept and goes on at the next start."""
