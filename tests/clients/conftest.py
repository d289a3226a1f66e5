"""Which operations the real clients reach: measured from the servers' logs of requests, and held against `coverage.yaml`.

With `QUMULUS_COVERAGE=write` a whole run writes what it measured. With `QUMULUS_COVERAGE=add` a run of some of the tests adds what
they reached to what is claimed: for an operation that is new, without a run of all clients.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qumulus.apis.families import apis as served_apis
from qumulus.apis.family import loaded
from qumulus.openapi import yaml12
from qumulus.openapi.coverage import coverage, file_of
from qumulus.openapi.jobs import apis
from qumulus.serving.app import served
from servers import Server

HERE = Path(__file__).parent
SLASHED = {"ibm-functions"}  # APIs whose paths may end with a slash, as their clients write them
ANSWERED = re.compile(r"← ✓ 2\d\d ([A-Z]+) (\S+) \(")


def operations() -> Iterator[tuple[str, str, re.Pattern[str], str]]:
    """API, method, pattern of the path as it is served, operationId; in the order in which they are matched."""
    for api in served_apis():
        for prefix in served(api).prefixes:
            for operation in loaded(api.module).DOCUMENT.operations.values():
                path = "".join(
                    "[^/]+" if part.startswith("{") else re.escape(part)
                    for part in re.split(r"({.*?})", operation.path)
                )
                yield api.name, operation.method, re.compile(re.escape(prefix) + path), operation.id


def reached(servers: list[Server]) -> dict[str, set[str]]:
    """API to the operations that answered with success."""
    logs = (server.output() for server in servers if server.log.exists())
    requests = {entry for log in logs for entry in ANSWERED.findall(log)}
    known = list(operations())
    found: dict[str, set[str]] = {}
    for method, path in requests:
        for api, wanted, pattern, name in known:
            if method == wanted and (pattern.fullmatch(path) or (api in SLASHED and pattern.fullmatch(path[:-1]))):
                found.setdefault(api, set()).add(name)
                break
    return found


ALONE = {HERE / "oqtopus" / "test_engine.py": "provider"}
"""Tests that need what may not be there, and the API whose operations nobody else reaches."""
SKIPPED = set[Path]()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note where tests were left out."""
    if report.skipped:
        SKIPPED.add(HERE.parents[1] / report.nodeid.partition("::")[0])


def whole(session: pytest.Session) -> bool:
    """Whether this run had all tests of all clients, and none failed."""
    files = {Path(item.path) for item in session.items}
    return files >= set(HERE.rglob("test_*.py")) and not session.testsfailed and not session.config.option.keyword


def pytest_sessionfinish(session: pytest.Session) -> None:
    """After a whole run: write what was reached, or fail where more is claimed. After any: add what was reached, where that is asked for."""
    wanted = os.environ.get("QUMULUS_COVERAGE")
    if wanted != "add" and not whole(session):
        return
    measured = reached(Server.started)
    for api in apis():
        path = file_of(api)
        if not path.is_file() or api.name in {ALONE.get(skipped) for skipped in SKIPPED}:
            continue
        claimed, found = coverage(api).reached or set(), measured.get(api.name, set())
        if wanted == "add":
            found |= claimed
        if wanted in ("add", "write") and found != claimed:
            head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
            said = yaml12.read(path.read_bytes())
            path.write_text(head + yaml12.write({**said, "reached": sorted(found)}))
        elif missing := sorted(claimed - found):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print(f"\n{path} claims that clients reach {', '.join(missing)}, but none did.")
