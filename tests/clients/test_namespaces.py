"""Several clouds in one server: a token of a namespace leads the real clients there, which know the server's own addresses only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.environments import environment
from qumulus.control.administration import Administration
from qumulus.control.ephemeral import EphemeralCloud

SCRIPTS = Path(__file__).parent / "namespaces"
USERS = [
    ("ibm", "ibm"),
    ("ibm-0.40.1", "ibm"),
    ("oqtopus-client-1.3.0", "oqtopus"),
    ("qhub-quantum-1.18.1", "quantum"),
    ("qhub-service-2.0.0", "services"),
]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EphemeralCloud]:
    source = tmp_path_factory.mktemp("services") / "sum" / "src"
    source.mkdir(parents=True)
    (source / "program.py").write_text("def run(values: list):\n    return {'sum': sum(values)}\n")
    with EphemeralCloud(settings={"auth": "known", "simulations": "1"}) as running:
        Administration(running.url).namespace("tests-1").administer.deploy("sum", source.parent)
        yield running


@pytest.mark.parametrize(("client", "script"), USERS)
def test_a_token_leads_an_untouched_client_to_its_namespace(cloud, client, script):
    python = Path(sys.executable) if client == "ibm" else environment(client)
    within = Administration(f"{cloud.url}/namespaces/tests-1")
    within("POST", "/reset")
    done = subprocess.run(
        [python, "-W", "ignore", SCRIPTS / f"{script}.py"],
        env=cloud.environment(os.environ, namespace="tests-1") | {"URL": cloud.url},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [each["id"] for each in within("GET", "/jobs")["jobs"]] == [done.stdout.strip()]
    assert Administration(cloud.url)("GET", "/jobs")["jobs"] == []
