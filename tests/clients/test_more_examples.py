"""The examples beside those of the IBM client's readme run, and say what they are there to say; notebooks in a real kernel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from clients.environments import environment
from qumulus.clients import DEFAULT_TOKEN, FAMILIES
from qumulus.openapi.jobs import REPOSITORY
from servers import Server
from testing_plugin.projects import installed, run_tests

EXAMPLES = REPOSITORY / "examples"
SCRIPTS = {
    "ghz_127.py": ("ibm-0.51.0", r"with at most 13 ones: \d+.*of 4096\n.*'chain'"),
    "utility_experiment.py 1": ("ibm-0.51.0", r"0\.0+ .*\n(?:.*\n)*.*1\.57"),
    "mitigation_compared.py": (
        "ibm-0.51.0",
        r"none +0\.\d+ ± .*\nreadout +0\.\d+ ± .*\nreadout, zero-noise extrapolation +[01]\.",
    ),
    "vqe_in_a_session.py": ("ibm-0.51.0", r"\d+ jobs in session \S+\nenergy -1\.[78]\d+, exact -1\.857"),
    "t1_and_rb.py": (
        "qiskit-experiments",
        r"T1: (\d+) ± \d+ µs, calibrated \d+ µs\nerror per Clifford gate: \d\.\d+e-0[34]",
    ),
    "oqtopus_estimation.py": ("oqtopus-client-1.3.0", r"as read: 0\.\d+ ± .*\nmitigated: (0\.9|1\.0)\d+ ± "),
    "service_with_pool/call.py": (
        "qhub-service-2.0.0",
        r"mean of 4 values: 4\.0\nfiles in the pool now: a\.csv, b\.csv, mean\.json",
    ),
}
"""The environment of each, with its arguments, and what it prints."""
NOTEBOOKS = sorted(path.name for path in (EXAMPLES / "notebooks").glob("*.ipynb"))


def variables(server: Server) -> dict[str, str]:
    """Where the clients of all clouds find the server."""
    found = {"QUMULUS_URL": server.url}
    for clients in FAMILIES.values():
        found |= clients.environment(server.url, DEFAULT_TOKEN)
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_runs_and_says_what_it_shows(script: str, live_server: Server, tmp_path: Path) -> None:
    name, printed = SCRIPTS[script]
    if script.startswith("service_with_pool"):
        folder = EXAMPLES / "service_with_pool"
        command = [sys.executable, "-m", "qumulus", "services", "add", str(folder), "--url", live_server.url]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    done = subprocess.run(
        [environment(name), "-W", "ignore", EXAMPLES / script.split()[0], *script.split()[1:]],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONUTF8": "1", **variables(live_server)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(printed, done.stdout), done.stdout


def test_a_scenario_is_met_by_a_program_that_finds_its_way(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qumulus", "run", "--scenario", str(EXAMPLES / "maintenance.yaml"), "--"]
    done = subprocess.run(
        [*command, environment("ibm-0.51.0"), "-W", "ignore", EXAMPLES / "scenario.py"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"ibm_fez: maintenance\na device of 1\d\d qubits is taken instead: True", done.stdout), done.stdout


def test_the_project_for_ci_passes(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLES / "ci_project", project)
    done = run_tests(environment("plugin-ibm"), installed(tmp_path / "site"), project)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "JUPYTER_DATA_DIR", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    command = [sys.executable, "-m", "ipykernel", "install", "--prefix", str(tmp_path / "kernels")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "kernels" / "share" / "jupyter"))
    notebook = nbformat.read(EXAMPLES / "notebooks" / name, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "a notebook is kept without its outputs"
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()


def test_every_example_is_explained_and_run() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    scripts = {path.name for path in EXAMPLES.glob("[a-z]*.py")}
    run = {name.split()[0] for name in SCRIPTS} | {"scenario.py"}
    assert scripts == {name for name in run if "/" not in name}
    told = {name.partition("/")[0] for name in run} | {f"notebooks/{name}" for name in NOTEBOOKS} | {"ci_project"}
    assert [name for name in sorted(told) if f"`{name}`" not in readme] == []
