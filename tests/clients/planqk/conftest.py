"""A live server with the services that the clients' scripts call."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apis.planqk.cloud import deploy
from clients.environments import environment
from servers import Server, server

SCRIPTS = Path(__file__).parent / "scripts"
SERVICES = {
    "sum": """
        import os
        def run(data, params):
            print("summing up", len(data["values"]))
            with open(os.path.join(os.environ["OUTPUT_DIRECTORY"], "hello.txt"), "w") as file:
                file.write("Hello")
            return {"sum": sum(data["values"])}
        """,
    "slow": """
        import time
        def run(data):
            print('PlanQK:Job:InterimResult: {"eval_time": 0.3}')
            time.sleep(data["seconds"])
        """,
    "pooled": "def run(numbers):\n    return {'sum': sum(float(path.read_text()) for path in numbers.iterdir())}",
    "failing": "def run(data):\n    raise ValueError('no such city')",
    "secretive": "import os\ndef run():\n    return {'length': len(os.environ['SECRET_IBM_TOKEN'])}",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("planqk") / "state") as running:
        for name, source in SERVICES.items():
            deploy(running, name, source)
        yield running


@pytest.fixture
def run(cloud: Server) -> Callable[..., Any]:
    """Runs a script in a client's environment; what it printed last, as JSON."""

    def in_environment(client: str, script: str, *arguments: str) -> Any:
        done = subprocess.run(
            [environment(client), "-W", "ignore", SCRIPTS / script, *arguments],
            env={
                "URL": cloud.url,
                "QHUB_QUANTUM_BASE_URL": f"{cloud.url}/quantum",
                "PLANQK_QUANTUM_BASE_URL": f"{cloud.url}/quantum",
                "PATH": os.environ["PATH"],
                "HOME": str(cloud.home),
            },
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{cloud.output()[-5000:]}"
        return json.loads(done.stdout.splitlines()[-1])

    return in_environment
