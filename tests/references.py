"""The documents that ours are compared with, by the name of the API and of the reference in its `differences.yaml`.

A typed reference is a file `oas/references/<api>.<reference>.yaml` of this folder. One that ships in an installed package is a function
in `PACKAGED` that returns its content, or None where the package is not there.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qumulus.openapi import yaml12

TYPED = Path(__file__).parent / "oas" / "references"


def oqtopus_client() -> Mapping[str, Any] | None:
    """What the client's REST layer was generated from, as far as the generated code keeps it."""
    clients = TYPED.parents[1] / "clients"
    made = sorted(clients.parents[1].glob(".client-envs/oqtopus-client-1.3.0-*/bin/python"))
    if not made:
        return None
    script = clients / "oqtopus" / "scripts" / "document.py"
    return json.loads(subprocess.run([made[0], script], capture_output=True, check=True).stdout)


PACKAGED: Mapping[tuple[str, str], Callable[[], Mapping[str, Any] | None]] = {
    ("user", "oqtopus-client"): oqtopus_client
}


def reference(api: str, name: str) -> Mapping[str, Any] | None:
    """The document called ``name`` that ``api`` is compared with; None where it can't be had."""
    typed = TYPED / f"{api}.{name}.yaml"
    if typed.is_file():
        return yaml12.read(typed.read_bytes())
    return PACKAGED[api, name]()
