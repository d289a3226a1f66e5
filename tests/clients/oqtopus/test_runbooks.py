"""The scenario tests of OQTOPUS' own test suite, from its files, on a device with errors and on the ideal simulator.

OQTOPUS_TEST_SUITE_SOURCE names a checkout, or a git repository, of oqtopus-team/test-suite.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.environments import environment
from clients.oqtopus.expressions import evaluated
from clients.oqtopus.runbooks import Runbook, StepFailed
from servers import Server
from sources import source_of
from tools import program

BOOKS = {
    "setup/runn_setup": ["setup"],
    "setup/runn": ["setup"],
    "sampling-job/runn": [
        "sampling-custom-transpiler",
        "sampling-default-transpiler",
        "sampling-no-transpiler",
        "sampling-no-transpiler-mitigation",
        "sampling-qiskit-transpiler",
        "sampling-qiskit-transpiler-mitigation",
        "sampling-with-invalid-qasm",
    ],
    "estimation-job/runn": ["estimation", "estimation-qiskit-transpiler"],
    "mp-job/runn": ["mp"],
    "sse-job/runn": ["sse", "sse-estimation", "sse-no-transpiler", "sse-no-transpiler-failed", "sse-non-zero-exit"],
}
PATHS = [f"{folder}/{name}.yml" for folder, names in BOOKS.items() for name in names]
NOISY, IDEAL = "Kawasaki", "qulacs"
RUNS = [(path, NOISY) for path in PATHS] + [(path, IDEAL) for path in PATHS if not path.startswith("sse")]
"""Each on a device with errors; on the ideal one as well, but for programs of the type sse, which take long and say no more there.

(One of these expects that a device refuses `h`. The ideal simulator has every gate of the standard.)
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the suite, in which its commands leave what they find."""
    named = source_of("OQTOPUS_TEST_SUITE_SOURCE", "oqtopus-team/test-suite")
    for needed in ("curl", "jq", "unzip"):
        program(needed)
    folder = tmp_path_factory.mktemp("suite")
    if (place := Path(named) / "scenario-tests").is_dir():
        shutil.copytree(place, folder / "scenario-tests")
    else:
        archive = subprocess.run(
            ["git", "-C", named, "archive", "HEAD", "scenario-tests"], capture_output=True, check=True
        ).stdout
        subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
    return folder / "scenario-tests"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "QUMULUS_DEVICE_INFO": "inline",  # the suite reads it so
        "QUMULUS_SSE_PYTHON": str(environment("sse-oqtopus")),
    }
    with Server(tmp_path_factory.mktemp("runbooks") / "state", environment=settings) as server:
        yield server


def test_the_suite_has_these_runbooks(suite: Path):
    assert sorted(
        str(path.relative_to(suite)) for path in suite.glob("*/runn*/*.yml") if "included" not in str(path)
    ) == sorted(PATHS)


@pytest.mark.parametrize(("path", "device"), RUNS)
def test_a_runbook(suite: Path, cloud: Server, path: str, device: str):
    named = {"USER_API_ENDPOINT": cloud.url, "Q_API_TOKEN": "local.qumulus-local", "DEVICE_ID": device}
    (suite / ".tmp_info").mkdir(exist_ok=True)
    (suite / ".tmp_info" / "available_qubits.txt").write_text("0\n1\n")  # the set-up leaves it; each test stands alone
    Runbook(suite / path, suite, named).run()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('a?.b ?? "none"', "none"),
        ("c.d == nil && !c.e", True),
        ("1 < 2 && (false || c['f'] == {})", True),
        ('toJSON({y: 1, x: "2"}) == toJSON({x: "2", y: 1})', True),
        ('date("2026-11-30T10:00:00Z") <= date("2026-11-30T11:00:00+01:00")', True),
        ("c.g > 0", False),
        ('"is " + string(len("ab"))', "is 2"),
    ],
)
def test_conditions_are_evaluated_as_by_its_own_runner(text: str, value: object):
    assert evaluated(text, {"a": None, "c": {"e": False, "f": {}, "g": None}}) == value


def test_a_runbook_whose_condition_does_not_hold_fails(tmp_path: Path):
    book = tmp_path / "book.yml"
    book.write_text("steps:\n  said:\n    exec:\n      command: echo {{ 1 + 1 }}\n    test: current.stdout == '3'\n")
    with pytest.raises(StepFailed, match="stdout': '2"):
        Runbook(book, tmp_path, {}).run()
