"""The application as other people's tools start it: `uvicorn qumulus.serving.app:app`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from servers import free_port

CODE = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
SECONDS = 60


def ask(url: str, body: object = None) -> dict:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def patiently(url: str) -> dict:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return ask(url)
        except OSError:  # nobody there yet, or no result yet
            assert time.monotonic() < deadline, url
            time.sleep(0.1)


@contextlib.contextmanager
def uvicorn(home, *flags: str, **settings: str) -> Iterator[str]:
    """A cloud under uvicorn, on a free port; its URL."""
    port = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("QUMULUS_")}
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "qumulus.serving.app:app",
            "--port",
            str(port),
            "--log-level",
            "warning",
            *flags,
        ],
        env=own | {"QUMULUS_HOME": str(home), "QUMULUS_SSE_PREPARE": "off"} | settings,
        cwd=home.parent,
        stdin=subprocess.DEVNULL,
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(SECONDS)


@pytest.mark.parametrize("flags", [("--reload",), ("--workers", "4")])
def test_uvicorn_serves_the_application(tmp_path, flags):
    with uvicorn(tmp_path / "state", *flags) as url:
        patiently(f"{url}/hello")
        tasks = [ask(f"{url}/task", {"device": "Kawasaki", "n_shots": 100, "code": CODE})["task_id"] for _ in range(8)]
        assert [sum(patiently(f"{url}/task/{task}/result")["counts"].values()) for task in tasks] == [100] * 8


def test_a_state_that_can_not_be_had_ends_it_with_the_sentence(tmp_path):
    (tmp_path / "file").touch()
    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "qumulus.serving.app:app", "--port", "0"],
        env=os.environ | {"QUMULUS_HOME": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode != 0
    assert "can't be used: File exists. Name another one with --home." in ended.stderr


def test_an_exposed_address_is_refused_as_by_the_command(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "import qumulus.serving.app; qumulus.serving.app.create_app()"],
        env=os.environ | {"QUMULUS_HOME": str(tmp_path), "QUMULUS_HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert "everybody knows its default credentials" in ended.stderr
