"""Schemathesis against every API: all checks, all operations, each API on a fresh server of its own.

Before the server starts, `fixtures/<api>.py` (its function ``fill(home)``) writes the rows that the examples of the
document speak of, through the core's own ports; so every operation reaches a success. It may also have ``SETTINGS``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from qumulus.openapi.jobs import REPOSITORY, Api, apis
from servers import Server

# By operation, why no answer to it is a success.
REFUSED = {
    "DELETE /api-token": "the token of the run is built in, and can't be deleted",
    "DELETE /users/me": "nor can its user",
    "DELETE /me": "nor can they, by the name that the account has in another API",
    "POST /my/invitations/{invitationId}/accept": "organizations invite people, and there are none",
    "POST /my/invitations/{invitationId}/decline": "the same",
}
FIXTURES = Path(__file__).parent / "fixtures"
CONFIGURATION = REPOSITORY / "schemathesis.toml"
EXAMPLES = os.environ.get("QUMULUS_CONTRACT_EXAMPLES", "60")  # by operation; `make test-contract-deep` takes 1,000
MINUTES = int(os.environ.get("QUMULUS_CONTRACT_MINUTES", "10"))
SEED = os.environ.get("QUMULUS_CONTRACT_SEED")  # None: that of the configuration
SECONDS = os.environ.get(
    "QUMULUS_CONTRACT_SECONDS"
)  # in which a run goes on to try examples; None: until it has so many


def fixtures(api: Api) -> ModuleType | None:
    """The module that fills the state for ``api``, where it has one."""
    path = FIXTURES / f"{api.name.replace('-', '_')}.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"contract_fixtures_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def address(server: Server, name: str) -> str:
    """Where the server has the API, as its document there says."""
    (first, *_) = json.loads(server.get(f"/openapi/{name}.json"))["servers"]
    return server.url + first["url"].rstrip("/")


@dataclass(frozen=True)
class Run:
    """What schemathesis said of an API, and what the server wrote meanwhile."""

    status: int
    said: str
    log: str
    answers: dict[str, dict[str, int]]  # by operation ("GET /jobs/{id}"), how many had each status


def run(api: Api, home: Path) -> Run:
    """Hold an API to its document, on a server of its own."""
    home.mkdir()
    rows = fixtures(api)
    if rows is not None:
        rows.fill(home)
    tally = home.with_suffix(".json")
    settings = {"QUMULUS_STATUS_HOLD": "0", "QUMULUS_LOG_LEVEL": "error"} | getattr(rows, "SETTINGS", {})
    with Server(home, environment=settings) as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(REPOSITORY / api.bundle)]
        done = subprocess.run(
            [
                *command,
                "--url",
                address(server, api.name),
                "--max-examples",
                EXAMPLES,
                "--no-color",
                *(["--seed", SEED] if SEED else []),
                *(["--max-time", SECONDS] if SECONDS else []),
            ],
            cwd=REPOSITORY,
            env=os.environ
            | {
                "SCHEMATHESIS_HOOKS": "hooks",
                "PYTHONPATH": str(Path(__file__).parent),
                "QUMULUS_CONTRACT_TALLY": str(tally),
            },
            capture_output=True,
            text=True,
            timeout=MINUTES * 60,
        )
        return Run(done.returncode, done.stdout + done.stderr, server.output(), json.loads(tally.read_text()))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Run]]]:
    """The runs of all APIs that are asked for, two at a time: each keeps little more than half a core busy."""
    wanted = [
        item.callspec.params["api"]
        for item in request.session.items
        if hasattr(item, "callspec") and item.path == Path(__file__)
    ]
    with ThreadPoolExecutor(2) as pool:
        yield {api.name: pool.submit(run, api, tmp_path_factory.mktemp(api.name) / "state") for api in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("api", apis(), ids=lambda api: api.name)
def test_every_operation_keeps_what_the_document_declares(api: Api, runs: dict[str, Future[Run]]) -> None:
    done = runs[api.name].result()
    print(done.said[-20_000:], done.log[-5_000:], sep="\n")
    assert done.status == 0, "\n".join(done.said.splitlines()[:400])
    (selected, every) = map(int, re.findall(r"Selected: (\d+)/(\d+)", done.said)[0])
    (tested,) = map(int, re.findall(r"Tested: (\d+)", done.said))
    assert selected == every == tested == len(done.answers)
    refused = {name: counts for name, counts in done.answers.items() if all(int(status) >= 400 for status in counts)}
    assert refused.keys() == REFUSED.keys() & done.answers.keys(), refused
    assert "Traceback" not in done.log
    assert "an error of ours" not in done.log


def configured() -> dict[str, Any]:
    return tomllib.loads(CONFIGURATION.read_text())


def sections(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    """The whole configuration and every project and operation in it."""
    projects = [configuration, *configuration.get("project", [])]
    return [*projects, *(operation for project in projects for operation in project.get("operations", []))]


def test_no_check_is_off_and_no_operation_is_left_out() -> None:
    for section in sections(configured()):
        assert section.get("enabled", True)
        assert "baseline" not in section
        for name, check in section.get("checks", {}).items():
            assert set(check) == {"expected-statuses"}, name
        for name, phase in section.get("phases", {}).items():
            assert phase.get("enabled", True), name


def test_every_status_that_a_run_may_answer_beside_the_declared_has_its_reason() -> None:
    text = CONFIGURATION.read_text().splitlines()
    lines = [number for number, line in enumerate(text) if "expected-statuses" in line]
    for number in lines:
        comment = text[number - 1]
        print(text[number], comment)
        assert comment.startswith("# "), f"{text[number]} has no reason in the line above"
    operations = [operation for section in sections(configured()) for operation in section.get("operations", [])]
    assert len(lines) == sum("expected-statuses" in json.dumps(operation) for operation in operations)
