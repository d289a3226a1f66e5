"""`qumulus serve --workers N` and `qumulus worker`: several processes at one address and on one state."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

import databases
from apis.planqk.cloud import deploy
from asking import TASK, ask
from dispatchers import alive, wait_for
from process_trees import children, command, family, gone
from qumulus.storage import open_storage
from qumulus.storage.database.tables import sealed_secrets
from servers import Server

CALLER = {"X-Auth-Token": "qumulus-local"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "state", environment={"QUMULUS_DRAIN_SECONDS": "2"}, arguments=("--workers", "3"))
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def answering(server: Server) -> list[int]:
    """The processes that answer."""
    return [pid for pid in children(server.pid) if "qumulus serve" in command(pid)]


def folder_of(pid: int) -> Path:
    """Where a process that answers finds its neighbours."""
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return next(Path(each.partition("=")[2]).parent for each in variables if each.startswith("QUMULUS_SIBLINGS="))


def run(server: Server, count: int) -> list[str]:
    """Submit from many threads, wait for the ends, and say how the jobs ended."""

    def one(_number: int) -> str:
        status, task = ask(server, "POST", "/task", TASK)
        assert status == 200, task
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status, answer = ask(server, "GET", f"/task/{task['task_id']}/status")
            assert status == 200, answer
            if answer["status"] == "COMPLETED":
                return ask(server, "GET", f"/task/{task['task_id']}/result")[1]["counts"]
        raise AssertionError(answer)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.everywhere
def test_several_processes_answer_and_one_that_is_killed_is_replaced(server):
    before = answering(server)
    assert len(before) == 3
    assert run(server, 24) == [{"1": 10}] * 24
    for pid in (before[2], before[0]):  # one that answers only, and the one that runs the jobs as well
        left = [pid, *family(pid)]
        os.kill(pid, signal.SIGKILL)
        gone(left, 60)
        wait_for(lambda: len(answering(server)) == 3)
    assert set(answering(server)).isdisjoint({before[0], before[2]})
    assert run(server, 8) == [{"1": 10}] * 8
    assert server.stop() == 0
    gone(before, 60)


def test_ctrl_c_ends_all_of_them_once(server):
    everybody = family(server.pid)
    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(60) == 0
    gone(everybody, 60)
    assert "Traceback" not in server.output()


def test_when_the_process_that_started_them_is_killed_they_end_by_themselves(server):
    everybody = family(server.pid)
    assert len(everybody) >= 4  # three that answer, and the fork server
    left = folder_of(answering(server)[0])
    assert left.is_dir()
    server.kill()
    gone(everybody, 60)
    server.start()
    assert not left.exists()
    current = folder_of(answering(server)[0])
    assert server.stop() == 0
    assert not current.exists()


def test_a_start_that_fails_is_told_once_and_ends(tmp_path):
    with Server(tmp_path / "state") as running:
        port = running.url.rpartition(":")[2]
        with pytest.raises(RuntimeError) as failed:
            Server(tmp_path / "other", environment={"QUMULUS_PORT": port}, arguments=("--workers", "2")).start()
    assert str(failed.value).count("Choose another one with --port") == 1
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match="can't be used") as failed:
        Server(tmp_path / "file", arguments=("--workers", "2")).start()
    assert "ended with 2" in str(failed.value)


@pytest.mark.everywhere
def test_jobs_that_a_server_only_accepts_are_run_by_a_worker(tmp_path):
    home = tmp_path / "state"
    shared = {"QUMULUS_API_ONLY": "true"}  # means nothing to a worker
    with Server(home, environment=shared) as server:
        task = ask(server, "POST", "/task", TASK)[1]["task_id"]
        assert not family(server.pid)
        worker = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "worker", "--simulations", "1"],
            env=os.environ | databases.environment(home) | shared | {"QUMULUS_HOME": str(home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout is not None
        line = worker.stdout.readline()
        assert "runs the jobs in" in line
        wait_for(lambda: ask(server, "GET", f"/task/{task}/status")[1]["status"] == "COMPLETED")
        left = family(worker.pid)
        assert any("execution.fork_server" in command(pid) for pid in left)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        gone(left, 60)
        assert not any(alive(pid) for pid in left)
        worker.stdout.close()


def test_secrets_and_the_token_reach_an_execution_whichever_process_took_it(server):
    """Each request is taken by whichever process is free; the one that runs it was never sent it."""
    service = deploy(
        server,
        "secretive",
        """
        import os
        def run():
            return {"secret": os.environ["SECRET_IBM_TOKEN"][::-1], "token": "KQH_SERVICE_EXECUTION_TOKEN" in os.environ}
        """,
    )
    ids = [service.start({"$secrets": {"ibmToken": f"secret-{number}"}}) for number in range(8)]
    for number, execution in enumerate(ids):
        assert service.wait(execution)["status"] == "SUCCEEDED"
        answer = service.http.get(f"/{execution}/result").json()
        assert (answer["secret"], answer["token"]) == (f"secret-{number}"[::-1], True)
    assert left_sealed(server.home) == 0


@pytest.mark.only("postgres")
def test_a_service_runs_where_neither_its_package_nor_its_data_pool_ever_was(tmp_path):
    home = tmp_path / "answers"
    shared = databases.environment(home) | {"QUMULUS_SERVICES_KEY": "a key of both"}
    with Server(home, environment=shared | {"QUMULUS_API_ONLY": "true"}) as server:
        worker = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "worker", "--simulations", "1"],
            env=os.environ | shared | {"QUMULUS_HOME": str(tmp_path / "runs")},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            service = deploy(
                server,
                "far",
                """
                import os
                def run(numbers):
                    files = {path.name: path.read_text() for path in numbers.iterdir()}
                    (numbers / "b.csv").write_text("2.5")
                    return {"files": files, "secret": os.environ["SECRET_KEY"][::-1]}
                """,
            )
            pools = f"{server.url}/platform/datapools"
            made = httpx2.post(pools, json={"name": "Numbers"}, headers=CALLER).json()["id"]
            added = httpx2.post(f"{pools}/{made}/files", files={"file": ("a.csv", b"1.5")}, headers=CALLER)
            assert added.status_code < 300, added.text
            answer = service.run({"$secrets": {"key": "tell nobody"}, "numbers": {"id": made, "ref": "DATAPOOL"}})
            assert answer["files"] == {"a.csv": "1.5"}
            assert answer["secret"] == "tell nobody"[::-1]
            names = [file["name"] for file in httpx2.get(f"{pools}/{made}/files", headers=CALLER).json()]
            assert names == ["a.csv", "b.csv"]
            assert not (home / "services" / "runs").exists()
            assert left_sealed(home) == 0
        finally:
            worker.terminate()
            assert worker.wait(60) == 0
            worker.stdout.close()  # ty: ignore[unresolved-attribute]


def left_sealed(home: Path) -> int:
    """How many executions have secrets in the database of a state."""
    storage = open_storage(home)
    try:
        with storage._database.read() as connection:
            return connection.execute(select(func.count()).select_from(sealed_secrets)).scalar_one()
    finally:
        storage.close()


def series(text: str, name: str) -> dict[str, float]:
    """The samples of a metric, by their labels."""
    return {labels: float(value) for labels, value in re.findall(rf"^{name}{{(.*)}} (\S+)$", text, re.MULTILINE)}


def total(text: str, name: str, labels: str = "") -> float:
    return sum(value for known, value in series(text, name).items() if labels in known)


def test_the_metrics_are_those_of_all_processes_whichever_is_asked(server):
    assert run(server, 24) == [{"1": 10}] * 24
    for _ in range(6):  # each time another process may take it
        text = server.get("/metrics").decode()
        assert total(text, "qumulus_requests_total", 'api="user",method="POST"') == 24
        assert total(text, "qumulus_jobs_ended_total", 'state="succeeded"') == 24
    begun = series(text, "process_start_time_seconds")
    assert set(begun) == {'process="0"', 'process="1"', 'process="2"'}
    os.kill(answering(server)[-1], signal.SIGKILL)

    def replaced() -> list[str]:
        now = series(server.get("/metrics").decode(), "process_start_time_seconds")
        return [process for process in begun if now.get(process, begun[process]) != begun[process]]

    wait_for(lambda: len(replaced()) == 1)


def test_none_says_that_jobs_are_run_before_they_are(server):
    (first,) = [pid for pid in answering(server) if family(pid)]
    os.kill(first, signal.SIGKILL)
    gone([first], 5)
    said = []
    deadline = time.monotonic() + 60
    while not said or said[-1][0] != 200:
        assert time.monotonic() < deadline, said[-1]
        said.append(ask(server, "GET", "/health"))
    assert total(server.get("/metrics").decode(), "qumulus_workers", 'process="0"') > 0
    assert {status for status, _ in said[:-1]} == {503}
    assert {answer["reason"].partition(":")[0] for _, answer in said[:-1]} == {
        "The process that runs the jobs is being started again",
        "The simulator is getting ready",
    }
    assert {ask(server, "GET", "/health")[0] for _ in range(12)} == {200}
    assert run(server, 2) == [{"1": 10}] * 2
