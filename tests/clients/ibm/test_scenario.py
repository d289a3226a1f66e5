"""The unmodified client of Qiskit Runtime, in every version, does what its users do.

From 0.49 on the variables that `qumulus env ibm` prints are enough; older versions go through the proxy of `qumulus run`. The table
of versions by steps is printed at the end.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.environments import CLIENTS, environment
from qumulus.apis.families import real_sites
from qumulus.interception import environment as proxied
from qumulus.interception.sites import sites
from qumulus.openapi.jobs import REPOSITORY
from servers import Server

SCENARIO = Path(__file__).with_name("scenario.py")
VERSIONS = sorted(
    (name.removeprefix("ibm-") for name in CLIENTS if name.startswith("ibm-")), key=lambda v: [*map(int, v.split("."))]
)
BY_VARIABLES = {"0.49.0", "0.50.0", "0.51.0"}
WAITING, RUNNING = "osaka", "kyoto"
SECONDS = 240
LEAST_SECONDS = 60
PREFIXES = "/v1|/api/v1|/experimental/api/v1"
MARKS = {"passed": "✓", "absent": "·", "failed": "✗"}
TABLE: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server with its proxy, on which jobs of two devices can be seen waiting and running."""
    folder = tmp_path_factory.mktemp("ibm")
    ready = folder / "ready.json"
    settings = {"QUMULUS_INTERCEPT_PORT": "0", "QUMULUS_READY_FILE": str(ready)}
    with Server(folder / "state", environment=settings) as server:
        set_device(server, WAITING, least_queue_seconds=LEAST_SECONDS)
        set_device(server, RUNNING, least_run_seconds=LEAST_SECONDS)
        asked(server, "POST", "instances", name="research", plan="open", tags=["research"])
        asked(server, "POST", "accounts", id="second")
        second = asked(server, "POST", "instances", name="second", account="second")
        token = asked(server, "POST", "tokens", api="ibm", account="second")
        of_second = {"token": token["secret"], "instance": second["crn"]}
        yield server, {**json.loads(ready.read_text()), "second": json.dumps(of_second)}


@pytest.fixture(scope="module", autouse=True)
def table(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print what each version could do."""
    yield
    steps = list(dict.fromkeys(step for results in TABLE.values() for step in results))
    lines = [" " * 20 + "  ".join(TABLE)]
    lines += [
        f"{step:20}" + "  ".join(f"{MARKS.get(TABLE[v].get(step, ''), '-'):^{len(v)}}" for v in TABLE) for step in steps
    ]
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n\n" + "\n".join(lines) + "\n✓ passed  ✗ failed  · not in this version")


def set_device(server: Server, device: str, **settings: float) -> None:
    asked(server, "PUT", f"devices/{device}/settings", **settings)


def asked(server: Server, method: str, path: str, **body: Any) -> Any:
    """What the administrator gets for a request."""
    request = urllib.request.Request(
        f"{server.url}/emulator/{path}",
        json.dumps(body).encode(),
        {"Authorization": "Bearer qumulus-admin", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def variables(version: str, server: Server, ready: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment of a scenario: no account of the person's, and the way to the server."""
    given = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    given |= {
        "HOME": str(folder),
        "QUMULUS_SCENARIO_WAITING": f"ibm_{WAITING}",
        "QUMULUS_SCENARIO_RUNNING": f"ibm_{RUNNING}",
        "QUMULUS_SCENARIO_SECOND": ready["second"],
    }
    if version in BY_VARIABLES:
        command = [sys.executable, "-m", "qumulus", "env", "ibm", "--url", server.url]
        printed = subprocess.check_output(command, text=True)
        exports = (line.removeprefix("export ") for line in printed.splitlines() if line.startswith("export "))
        return given | dict(line.split("=", 1) for line in exports)
    constructor = {"channel": "ibm_quantum_platform", "token": "qumulus-local", "instance": "local"}
    if version in ("0.40.1", "0.41.1"):  # which take a CRN as it is, and names only from a saved account
        constructor["instance"] = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"
    return {
        **given,
        **proxied.environment(
            given,
            proxy=ready["proxy"],
            certificate=Path(ready["certificate"]),
            bundle=folder / "trusted.pem",
            sites=sites("", real_sites()),
        ),
        "QUMULUS_SCENARIO_SERVICE": json.dumps(constructor),
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_of_the_client_does_everything(version, cloud, tmp_path):
    server, ready = cloud
    done = subprocess.run(
        ["timeout", str(SECONDS), environment(f"ibm-{version}"), SCENARIO],
        env=variables(version, server, ready, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    steps = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"step"')]
    TABLE[version] = {step["step"]: step["ended"] for step in steps}
    failed = [f"{step['step']}:\n{step['why']}" for step in steps if step["ended"] == "failed"]
    assert not failed, "\n".join(failed)
    assert done.returncode == 0, f"it ended with {done.returncode} after {steps[-1:]}:\n{done.stderr}"


def test_the_mapping_names_every_call_of_the_clients_and_no_other(cloud):
    """Runs after the versions; without them there is nothing to compare."""
    if not TABLE:
        pytest.skip(
            "no version of the client ran before, whose calls it compares with the document: run the whole file"
        )
    sent = {
        f"{method} {path}"
        for method, path in re.findall(r"→ ([A-Z]+) (\S+) from", cloud[0].output())
        if not path.startswith(("/emulator", "/health"))
    }
    mapping = (REPOSITORY / "docs" / "CLIENT_SERVER_MAPPING.md").read_text()
    listed = re.findall(r"\| `([A-Z]+ /\S+)` \|", mapping)
    patterns = {
        call: re.compile(re.sub(r"{\w+}", "[^/]+", call).replace(" /", f" ({PREFIXES})?/", 1)) for call in listed
    }
    unlisted = sorted(call for call in sent if not any(pattern.fullmatch(call) for pattern in patterns.values()))
    assert unlisted == []
    if set(TABLE) == set(VERSIONS):
        never = [call for call, pattern in patterns.items() if not any(map(pattern.fullmatch, sent))]
        assert never == []
