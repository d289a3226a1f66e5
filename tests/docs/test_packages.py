"""The bill of materials, and the question whether something in the locks is known to be vulnerable."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from servers import free_port

SCRIPT = Path(__file__).parents[2] / "deploy" / "packages.py"


@pytest.fixture(scope="module")
def packages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("packages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["packages"] = module
    spec.loader.exec_module(module)
    return module


class Database(BaseHTTPRequestHandler):
    """Answers as OSV does: there is something about one package."""

    vulnerable, answer = "numpy", b""

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        body = self.answer or json.dumps({"results": [self.known(each) for each in queries]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def known(self, query: dict[str, Any]) -> dict[str, Any]:
        """The first of two pages, and the second."""
        if query["package"]["name"] != self.vulnerable:
            return {}
        if query.get("page_token") == "more":
            return {"vulns": [{"id": "GHSA-more", "modified": "2026-01-01"}]}
        return {"vulns": [{"id": "GHSA-test", "modified": "2026-01-01"}], "next_page_token": "more"}

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def database() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Database)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_package_that_is_known_to_be_vulnerable_is_named_and_fails(packages, database, capsys):
    assert packages.check(database) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("numpy ")
    assert lines[0].endswith(": GHSA-more, see https://osv.dev/GHSA-more")
    assert lines[1].endswith(": GHSA-test, see https://osv.dev/GHSA-test")


def test_what_is_accepted_for_a_reason_does_not_fail(packages, database, monkeypatch, capsys):
    monkeypatch.setattr(packages, "ACCEPTED", {"GHSA-test": "It is not called.", "GHSA-more": "Nor this."})
    assert packages.check(database) == 0
    assert "0 in " in capsys.readouterr().out


def test_without_a_network_it_says_that_nothing_was_checked_and_does_not_fail(packages, capsys):
    assert packages.check(f"http://127.0.0.1:{free_port()}") == 0
    assert "NOT CHECKED" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [b"<html>Log in to this network</html>", b"[]", b'{"results": null}', b'{"results": [null]}', b'{"results": []}'],
)
def test_what_answers_and_is_not_the_database_counts_as_not_checked(packages, database, monkeypatch, capsys, answer):
    monkeypatch.setattr(Database, "answer", answer)
    assert packages.check(database) == 0
    assert "NOT CHECKED" in capsys.readouterr().out


@pytest.mark.parametrize(("vulnerable", "status"), [("numpy", 2), ("of nobody", 0)])
def test_make_ends_as_the_database_says(database, monkeypatch, vulnerable, status):
    monkeypatch.setattr(Database, "vulnerable", vulnerable)
    done = subprocess.run(
        ["make", "--no-print-directory", "-o", ".venv/.made", "check-packages"],
        cwd=SCRIPT.parents[1],
        env=os.environ | {"QUMULUS_OSV": database},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stdout + done.stderr


def test_the_bill_names_every_package_of_the_lock_with_its_sums(packages):
    bill = packages.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {each["purl"]: each for each in bill["components"]}
    locked = (SCRIPT.parents[1] / "requirements.txt").read_text()
    assert sum(each["scope"] == "required" for each in named.values()) == len(
        re.findall(r"^\S+==", locked, re.MULTILINE)
    )
    assert all(each["properties"] for each in named.values())
    assert bill == packages.bill()
