"""Every snippet of the documentation runs, and prints what stands below it; what does not run here is named, with where it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from clients.snippets import PAGES, Fence, fences, run
from qumulus.openapi.jobs import REPOSITORY
from servers import Server
from testing_plugin.projects import installed

ADMIN = {"Authorization": "Bearer qumulus-admin"}
OVERVIEW = REPOSITORY / "backend/console/source/pages/overview.tsx"
CIRCUIT = """
from qiskit import QuantumCircuit
circuit = isa_circuit = QuantumCircuit(1)
circuit.measure_all()
"""
ELSEWHERE = {
    ("README.md", "make run-user"): "CI runs the targets of make",
    ("README.md", "make generate-all"): "CI runs the targets of make",
    ("README.md", "task=$(curl"): "tests/server/test_readme.py",
    ("README.md", "qumulus run -- python examples/ghz_127.py"): "tests/clients/test_more_examples.py",
    ("docs/architecture.md", "async def maintenance"): "a sketch of a rule, not a program",
    ("docs/devices.md", "import json"): "tests/catalogue imports what it writes",
    ("docs/emulation.md", "qumulus serve --scenario"): "tests/emulation",
    ("docs/emulation.md", "qumulus serve --seed"): "tests/emulation",
    ("docs/emulation.md", "qumulus record --to"): "tests/interception/test_recording.py: needs a cloud elsewhere",
    ("docs/emulation.md", "qumulus emulator namespace"): "tests/http/test_namespaces.py",
    ("docs/emulation.md", "qumulus emulator state"): "tests/commands/test_keeping.py: of a state that no test shares",
    ("docs/emulation.md", "qumulus emulator clock"): "tests/clients/ibm/test_clock.py: of a clock that no test shares",
    ("docs/emulation.md", "def test_an_expired"): "tests/testing_plugin: a sketch of a test",
    ("docs/functions.md", "from qiskit_ibm_catalog"): "tests/clients/ibm/test_functions.py",
    (
        "docs/oqtopus.md",
        "from oqtopus_client import OqtopusClient, OqtopusConfig\n",
    ): "tests/clients/oqtopus/test_client.py",
    ("docs/oqtopus.md", "qumulus sse prepare"): "tests/clients/oqtopus: installs packages for minutes",
    ("docs/oqtopus.md", "qumulus devices set Lima"): "tests/commands/test_provider.py: runs until it is stopped",
    ("docs/oqtopus.md", "qumulus serve --allowed-origins"): "tests/http",
    ("docs/oqtopus.md", "git clone"): "nothing here: it takes the source of the frontend from the network",
    ("docs/planqk.md", "planqk login"): "tests/clients/planqk/test_command_line.py",
    ("docs/planqk.md", "export QHUB_QUANTUM"): "tests/clients/planqk/test_quantum.py",
    ("docs/planqk.md", "from qhub.quantum"): "tests/clients/planqk/test_quantum.py",
    ("docs/upstream-suite.md", "QUMULUS_SHOW_MOCKS"): "somebody else's suite, of an hour",
    ("docs/zero-change.md", "qumulus run -- python script.py"): "tests/clients/untouched",
    ("docs/zero-change.md", "qumulus serve &"): "tests/commands/test_shells.py: needs five shells",
    ("docs/zero-change.md", "qumulus serve --intercept-port"): "tests/clients/untouched",
    ("docs/zero-change.md", "from qiskit import"): "docs/tutorials/ci.md has the same",
    ("docs/zero-change.md", "python -m venv"): "tests/testing_plugin",
}
"""Snippets that are not run here, by their page and how they begin, and what runs them."""
BEFORE = {
    "README.md": 'mkdir -p my-service/src; echo \'def run(data, params): return {"sum": sum(data["values"])}\' >my-service/src/program.py',
}
"""What a page takes for granted."""


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def left_out(page: Path, fence: Fence) -> bool:
    return any(name(page) == where and fence.text.startswith(start) for where, start in ELSEWHERE)


def runnable(page: Path) -> list[Fence]:
    """The snippets of a page with what they print."""
    found = [fence for fence in fences(page) if fence.language in ("python", "bash", "text")]
    kept, after_left_out = [], True
    for fence in found:
        if fence.language != "text":
            after_left_out = left_out(page, fence)
        if not after_left_out:
            kept.append(fence)
    return [
        fence if "isa_circuit" not in fence.text else Fence(fence.language, CIRCUIT + fence.text, fence.line)
        for fence in kept
    ]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("plugin"))


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=name)
def test_the_snippets_of_a_page_run(page: Path, live_server: Server, plugin: Path, tmp_path: Path) -> None:
    forgotten = requests.delete(f"{live_server.url}/emulator/faults", headers=ADMIN, timeout=20)  # of another page
    assert forgotten.status_code == 204
    run(page, runnable(page), tmp_path / "home", live_server.url, plugin, BEFORE.get(name(page), ""))


def first_steps() -> dict[str, list[Fence]]:
    """The first steps that the console shows, by cloud."""
    code = OVERVIEW.read_text().partition("FIRST_STEPS")[2].partition("\n];")[0]
    code = code.replace("${ELSEWHERE}", "").replace("${location.origin}", "http://127.0.0.1:8080")
    found: dict[str, list[Fence]] = {}
    for cloud, part in re.findall(r'^    title: "(.*?)",(.*?)^  \},', code, re.MULTILINE | re.DOTALL):
        for quoted in re.findall(r"code: (`.*?`|\".*?\")", part, re.DOTALL):
            language = "python" if "\nprint(" in quoted else "bash"
            found.setdefault(cloud, []).append(Fence(language, quoted[1:-1] + "\n", 1))
    return found


@pytest.mark.parametrize("cloud", ["IBM Quantum", "OQTOPUS", "PLANQK"])
def test_the_first_steps_of_the_console_run(cloud: str, live_server: Server, plugin: Path, tmp_path: Path) -> None:
    steps = first_steps()[cloud]
    assert [step.language for step in steps] == ["bash", "bash", "python"]
    run(OVERVIEW, steps, tmp_path / "home", live_server.url, plugin)


def test_what_is_left_out_is_there() -> None:
    starts = [(name(page), fence.text) for page in PAGES for fence in fences(page)]
    assert [
        key for key in ELSEWHERE if not any(key[0] == page and text.startswith(key[1]) for page, text in starts)
    ] == []
