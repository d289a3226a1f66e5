"""The vendor's own command line, built from its source: from the login to the result of a service.

It is on no registry that the tests reach, and needs node: name the folder of its source, built (`npm ci && npx tsc -b`), in
QUMULUS_PLANQK_CLI. `init` fetches its templates from GitHub: name a clone of the platform's samples in QUMULUS_PLANQK_SAMPLES, which is
then answered with.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from servers import Server, server

SOURCE = os.environ.get("QUMULUS_PLANQK_CLI")
SAMPLES = os.environ.get("QUMULUS_PLANQK_SAMPLES")
ARCHIVE = "planqk-platform-samples-master/"  # what stands before each name in the archive
FETCHED = """
const real = globalThis.fetch
globalThis.fetch = async (address, options) =>
  String(address).startsWith("https://github.com/")
    ? new Response(require("node:fs").readFileSync(process.env.ARCHIVE))
    : real(address, options)
"""
NODE = shutil.which("node")
pytestmark = [
    pytest.mark.skipif(NODE is None, reason="the vendor's command line runs on node: install it to run these"),
    pytest.mark.skipif(
        SOURCE is None, reason="name the folder of the built planqk-cli in QUMULUS_PLANQK_CLI to run it"
    ),
]
PROGRAM = """
def run(data, params):
    print("adding up")
    return {"sum": sum(data["values"])}
"""
DOCUMENT = """
openapi: 3.0.0
info: {title: Sum, version: "1"}
paths: {}
components: {schemas: {inputData: {type: object, properties: {}}, inputParams: {type: object, properties: {}}}}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("cli") / "state") as running:
        yield running


class CommandLine:
    """The command line in the home of somebody who has never used it."""

    def __init__(self, home: Path, cloud: Server) -> None:
        self.home = home
        self.project = home / "sum"
        (self.project / "src").mkdir(parents=True)
        (self.project / "input").mkdir()
        (self.project / "src" / "program.py").write_text(PROGRAM)
        (self.project / "input" / "data.json").write_text('{"values": [1, 2, 39]}')
        (self.project / "input" / "params.json").write_text("{}")
        (self.project / "openapi-spec.yml").write_text(DOCUMENT)
        manifest = {"name": "sum", "resources": {"cpu": 1, "memory": 1}, "runtime": "PYTHON_TEMPLATE"}
        (self.project / "planqk.json").write_text(json.dumps(manifest))
        settings = home / "config" / "planqk" / "config.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"endpoint": {"basePath": f"{cloud.url}/platform"}}))

    def __call__(self, *words: str, code: int = 0, **variables: str) -> str:
        """What a command prints."""
        done = subprocess.run(
            [str(NODE), str(Path(str(SOURCE)) / "bin" / "run"), *words],
            cwd=self.project,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "XDG_CONFIG_HOME": str(self.home / "config"),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.project / "planqk.json").read_text())


@pytest.fixture
def planqk(tmp_path: Path, cloud: Server) -> CommandLine:
    return CommandLine(tmp_path, cloud)


def test_a_service_goes_up_runs_and_is_updated(planqk: CommandLine, cloud: Server):
    assert "Invalid API key" in planqk("login", "-t", "wrong", code=1)
    assert "successful" in planqk("login", "-t", "qumulus-local")
    assert "local" in planqk("list-contexts")
    assert "Service created" in planqk("up")
    assert planqk.manifest["serviceId"] in planqk("services")
    assert "Job succeeded" in planqk("run")
    with httpx2.Client(base_url=f"{cloud.url}/platform", headers={"X-Auth-Token": "qumulus-local"}) as http:
        (job,) = http.get("/jobs").json()
        assert json.loads(http.get(f"/jobs/{job['id']}").json()["result"]) == {"sum": 42}
    planqk("create-openapi")
    assert "values" in (planqk.project / "openapi-spec.yml").read_text()
    (planqk.project / "src" / "program.py").write_text(PROGRAM.replace("sum(", "max("))
    assert "Service updated" in planqk("up")
    assert "created" in planqk("run", "--detached", "-d", '{"values": [1, 2]}', "-p", "{}")


def test_a_program_that_is_none_is_refused_with_the_reason(planqk: CommandLine):
    planqk("login", "-t", "qumulus-local")
    (planqk.project / "src" / "program.py").write_text("x = 1")
    planqk.project.joinpath("planqk.json").write_text(json.dumps({"name": "none"}))
    assert "has no function named run" in planqk("up", code=1)


@pytest.mark.skipif(
    SAMPLES is None,
    reason="name a clone of planqk-platform-samples in QUMULUS_PLANQK_SAMPLES: init takes a template of it",
)
def test_a_project_that_init_makes_goes_up_and_runs_as_it_is(planqk: CommandLine, cloud: Server):
    archive, preload = planqk.home / "samples.zip", planqk.home / "fetched.cjs"
    command = ["git", "-C", str(SAMPLES), "archive", "--format=zip", f"--prefix={ARCHIVE}", "-o", str(archive)]
    subprocess.run([*command, "HEAD", "coding-templates/.vars", "coding-templates/python"], check=True)
    preload.write_text(FETCHED)
    planqk("login", "-t", "qumulus-local")
    made = planqk("init", "--non-interactive", "--name", "fresh", ARCHIVE=str(archive), NODE_OPTIONS=f"-r {preload}")
    assert "Initialized project" in made
    planqk.project = planqk.project / "fresh"
    assert "Service created" in planqk("up")
    assert "Job succeeded" in planqk("run")
