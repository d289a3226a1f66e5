"""The unmodified client of IBM Quantum, as its user feels it, in turn with its own local mode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qumulus.control.ephemeral import EphemeralCloud

from .tables import Row, Table, ratio, seconds

USER = Path(__file__).with_name("ibm_user.py")
TARGETS = {
    "ibm_brisbane": (30, 80),
    "ibm_fez": (150, 400),
}  # how many times faster than local mode: at least, and aimed at
LIST_SECONDS = 1.25  # half of what it took at first, with 88 requests
MOST_REQUESTS = 80


def measured(*arguments: str, fleet: str = "all", user: Path = USER) -> dict[str, Any]:
    """What the user's process measured, with a cloud of its own; and how many requests it took to list the devices, and the server's time."""
    with EphemeralCloud(settings={"fleet": fleet}) as cloud, tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "qumulus", "env", "ibm", "--url", cloud.url]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        exports = (line.removeprefix("export ") for line in printed if line.startswith("export "))
        variables = dict(line.split("=", 1) for line in exports)
        done = subprocess.run(
            [sys.executable, user, *arguments],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": home, **variables},
        )
        events = [event for event in cloud.events() if "milliseconds" in event]
    listing = [event for event in events if "/jobs" not in str(event["path"])]
    spent = sum(float(str(event["milliseconds"])) for event in listing) / 1000
    return json.loads(done.stdout) | {"requests": len(listing), "server": spent}


def tables() -> list[Table]:
    """The table of the client."""
    found, listed, today = measured(), measured("list"), measured("list", fleet="today")
    listing = found["backends"]
    rows = [
        Row(
            what=f"QiskitRuntimeService() and backends(), {found['devices']} devices, after the import",
            ours=seconds(listing),
            least=seconds(LIST_SECONDS),
            met=listing < LIST_SECONDS,
        ),
        Row(
            what="requests that this takes",
            ours=str(listed["requests"]),
            least=f"< {MOST_REQUESTS}",
            met=listed["requests"] < MOST_REQUESTS,
        ),
        Row(
            what="of which in the server",
            ours=seconds(listed["server"]),
            other=seconds(listed["backends"]),
            ratio=ratio(listed["backends"], listed["server"]),
        ),
        Row(
            what=f"the same with --fleet today: {today['devices']} devices, {today['requests']} requests; beside: all devices",
            ours=seconds(today["backends"]),
            other=seconds(listed["backends"]),
            ratio=ratio(listed["backends"], today["backends"]),
        ),
    ]
    for name, (least, aim) in TARGETS.items():
        here, local = found[name]["here"], found[name]["local"]
        rows.append(
            Row(
                what=f"SamplerV2(backend).run([bell], shots=4096).result() on {name}",
                ours=seconds(here),
                other=seconds(local),
                ratio=ratio(local, here),
                least=f"{least}×",
                aim=f"{aim}×",
                met=local / here >= least,
            )
        )
    note = f"qiskit-ibm-runtime {version('qiskit-ibm-runtime')}, warm, wall time. Beside: its local mode, in turn in one process."
    return [Table(title="The IBM client", rows=rows, note=note)]
