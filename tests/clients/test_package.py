"""The package as people get it: a wheel, built from the checkout, in an environment that has nothing else."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

import pytest
import requests

from asking import TASK
from clients.environments import NoPython, python_of
from qumulus import __version__
from qumulus.openapi import yaml12
from qumulus.openapi.jobs import REPOSITORY

SECONDS = 60
BELL = {
    "code": "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;",
    "device": "Kawasaki",
    "n_shots": 1000,
    "seed_transpilation": 873,
    "seed_simulation": 39058567,
}
INSTALLED_MIB = 420  # with all that it needs; what for, docs/packaging.md says
HEAVY_MB = 10


def uv(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(folder: Path, wheel: Path, python: str) -> Path:
    """An environment in a folder with the wheel and its locked requirements, and nothing else."""
    inside = str(folder / "bin/python")
    uv("venv", "--quiet", "--python", python, str(folder))
    uv("pip", "install", "--quiet", "--python", inside, "--require-hashes", "-r", "requirements.txt")
    uv("pip", "install", "--quiet", "--python", inside, "--no-deps", str(wheel))
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment with the wheel and its locked requirements."""
    return environment(tmp_path_factory.mktemp("empty") / "environment", wheel, sys.executable)


@pytest.fixture(scope="module")
def served(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `qumulus serve`, started far away from the checkout."""
    with serving(installed, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


@contextmanager
def serving(installed: Path, elsewhere: Path) -> Iterator[str]:
    """The address of `qumulus serve` of an environment, with its state in a folder."""
    log = elsewhere / "log"
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(elsewhere), "QUMULUS_HOME": str(elsewhere / "state")}
    variables["QUMULUS_SSE_PREPARE"] = "off"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [installed / "bin/qumulus", "serve", "--port", "0"],
            cwd=elsewhere,
            env=variables | {"PYTHONUNBUFFERED": "1"},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield address(log)
    finally:
        process.terminate()
        process.wait(SECONDS)


def address(log: Path) -> str:
    """Where the server says that it is."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for word in log.read_text().split():
            if word.startswith("http://127.0.0.1:"):
                return word
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_the_wheel_has_what_is_served_and_no_sources_of_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"qumulus/console/files/index.html", "qumulus/console/files/licences.txt"} <= names
    assert {"qumulus/catalogue/index.json", "qumulus/apis/oqtopus/user/schemas/openapi.json"} <= names
    assert any(name.endswith("share/man/man1/qumulus.1") for name in names)
    assert not [name for name in names if name.startswith(("console/", "tests/", "oas/")) or "node_modules" in name]


def counts(url: str, task: Mapping[str, object]) -> dict[str, int]:
    """The counts of a task, once it is completed."""
    sent = requests.post(f"{url}/task", json=task, timeout=SECONDS).json()["task_id"]
    deadline = time.monotonic() + SECONDS
    while requests.get(f"{url}/task/{sent}/status", timeout=SECONDS).json()["status"] != "COMPLETED":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return requests.get(f"{url}/task/{sent}/result", timeout=SECONDS).json()["counts"]


def test_a_job_runs_on_a_server_that_was_installed_from_the_wheel(served: str) -> None:
    assert counts(served, TASK) == {"1": TASK["n_shots"]}


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_another_python_gives_the_same_counts(version: str, wheel: Path, served: str, tmp_path: Path) -> None:
    try:
        python = python_of(version)
    except NoPython as error:
        pytest.skip(f"{error} That it has all packages is tested without it, below.")
    installed = environment(tmp_path / "environment", wheel, str(python))
    with serving(installed, tmp_path) as url:
        assert counts(url, BELL) == counts(served, BELL)


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_every_locked_package_has_a_wheel_for_another_python(version: str, tmp_path: Path) -> None:
    wheels = ("--only-binary", ":all:", "--python-version", version, "--target", str(tmp_path))
    uv("pip", "install", "--dry-run", "--quiet", *wheels, "--require-hashes", "-r", "requirements.txt")


def test_uvx_runs_it_without_installing(wheel: Path) -> None:
    locked = ("--isolated", "--with-requirements", "requirements.txt", "--from", str(wheel))
    assert (
        uv("tool", "run", "--quiet", "--python", sys.executable, *locked, "qumulus", "--version")
        == f"qumulus {__version__}\n"
    )


def test_its_console_and_documentation_are_there(served: str) -> None:
    page = requests.get(f"{served}/console", timeout=SECONDS).text
    assert "/console/files/console.js" in page
    for path in (
        "/console/files/console.js",
        "/console/files/console.css",
        "/docs",
        "/docs/files/swagger-ui-bundle.js",
    ):
        assert requests.get(served + path, timeout=SECONDS).status_code == 200
    assert json.loads(requests.get(f"{served}/openapi/user.json", timeout=SECONDS).text)["openapi"]


def test_it_stays_within_its_budget_of_space(installed: Path) -> None:
    size = sum(path.stat().st_size for path in installed.rglob("*") if path.is_file() and not path.is_symlink())
    assert size < INSTALLED_MIB << 20


def sizes(installed: Path) -> dict[str, float]:
    """The megabytes of each installed distribution, by its name."""
    (packages,) = installed.glob("lib/python*/site-packages")
    known = distributions(path=[str(packages)])
    whole = {each.name: [packages / str(file) for file in each.files or ()] for each in known}
    return {name: sum(path.stat().st_size for path in files if path.is_file()) / 1e6 for name, files in whole.items()}


def test_every_heavy_package_is_explained_with_its_size(installed: Path) -> None:
    table = re.findall(r"^\| ([a-z0-9-]+) \| (\d+) \|", (REPOSITORY / "docs/packaging.md").read_text(), re.MULTILINE)
    told = {name: int(size) for name, size in table}
    heavy = {name.lower(): size for name, size in sizes(installed).items() if size >= HEAVY_MB}
    assert heavy == {name: pytest.approx(size, rel=0.15) for name, size in told.items()}


def step(name: str, environment: dict[str, str], **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run a step of `action.yml` as a runner does: its script by bash, with its variables filled in."""
    action = yaml12.read((REPOSITORY / "action.yml").read_bytes())
    (wanted,) = [each for each in action["runs"]["steps"] if each["name"] == name]
    given = {f"inputs.{key}": each.get("default", "") for key, each in action["inputs"].items()} | inputs
    values = {key: re.sub(r"\${{ (.*?) }}", lambda found: given[found[1]], text) for key, text in wanted["env"].items()}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", wanted["run"]],
        env=environment | values,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
    )


def test_the_action_starts_a_cloud_for_the_steps_that_follow(installed: Path, tmp_path: Path) -> None:
    for name in ("environment", "output"):
        (tmp_path / name).touch()
    environment = {"PATH": f"{installed / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    runner = {"GITHUB_ENV": str(tmp_path / "environment"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    inputs = {"inputs.port": port, "inputs.clouds": "oqtopus", "runner.temp": str(tmp_path)}
    done = step("Start", environment | runner, **inputs)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        told = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
        assert told["OQTOPUS_URL"] == told["QUMULUS_URL"] == f"http://127.0.0.1:{port}"
        assert requests.get(f"{told['OQTOPUS_URL']}/hello", timeout=SECONDS).status_code == 200
        assert (tmp_path / "output").read_text() == f"url=http://127.0.0.1:{port}\n"
    finally:
        subprocess.run(["pkill", "-f", f"qumulus serve --port {port}"], check=False)


def test_the_action_says_why_the_cloud_did_not_start(installed: Path, tmp_path: Path) -> None:
    environment = {"PATH": f"{installed / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = step("Start", environment, **{"inputs.settings": "--nonsense", "runner.temp": str(tmp_path)})
    assert done.returncode == 1
    assert "Qumulus did not start" in done.stdout
    assert "--nonsense" in done.stdout
