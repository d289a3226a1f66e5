"""Executions of services on a real Ray cluster: a head that runs nothing, and two nodes.

One process only answers, another one only dispatches; they share a database and no folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import denying
import postgres
from apis.planqk.cloud import ADMIN, Service, deploy
from asking import TASK, ask
from clusters import Cluster, Node, session
from dispatchers import wait_for
from process_trees import children, command, family, gone, kill
from qumulus.cluster.services.remote import AGAIN
from servers import Server

READY_SECONDS = 90
CALLER = {"X-Auth-Token": "qumulus-local"}
LOST_SECONDS = 150  # in which Ray or the driver sees that a node that stands still is lost
GiB = 1 << 30
LIMITS = {
    "QUMULUS_SERVICE_MEMORY_MIB": "256",
    "QUMULUS_SERVICE_SECONDS": "300",
    "QUMULUS_SERVICE_SLOTS": "4",
}
NAP = """
import time
def run(seconds):
    print("begun")
    time.sleep(seconds)
    return {"slept": seconds}
"""


RESOURCES = """
import json, sys, ray
ray.init(sys.argv[1], log_to_driver=False, logging_level="error")
print(json.dumps([ray.cluster_resources(), ray.available_resources()]))
"""


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = str(tmp_path_factory.mktemp("node") / "kept")
    with Cluster(nodes=3, cpus=2, head_cpus=0, QUMULUS_NODE_FOLDER=folder) as running:
        yield running


def settings(url: str) -> dict[str, str]:
    """What all processes of a cloud have in common."""
    return LIMITS | {"QUMULUS_DATABASE": url, "QUMULUS_SERVICES_KEY": "a key of all"}


def answering(folder: Path, url: str) -> Server:
    """A server that only answers."""
    return Server(folder / "answers", environment=settings(url) | {"QUMULUS_API_ONLY": "true"})


@contextlib.contextmanager
def dispatching(runner: str, machines: Cluster, home: Path, server: Server, url: str) -> Iterator[subprocess.Popen]:
    """A dispatcher without HTTP, with a folder of its own; its log stands beside that."""
    own = {"QUMULUS_RUNNER": runner, "QUMULUS_HOME": str(home), "QUMULUS_PUBLIC_URL": server.url}
    log = home.with_suffix(".log")
    with log.open("wb") as written:
        worker = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "worker"],
            env=os.environ | machines.environment | settings(url) | own,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield worker
    finally:
        worker.terminate()
        assert worker.wait(30) in (0, -signal.SIGKILL), log.read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="module")
def dispatchers(folder: Path) -> list[subprocess.Popen]:
    """The dispatcher of `cloud`, once it is there."""
    return []


@pytest.fixture(scope="module")
def cloud(machines: Cluster, folder: Path, dispatchers: list[subprocess.Popen]) -> Iterator[Server]:
    url = postgres.shared().database("services_on_ray")
    with (
        answering(folder, url) as server,
        dispatching(machines.address, machines, folder / "dispatches", server, url) as dispatcher,
    ):
        dispatchers.append(dispatcher)
        yield server
    postgres.shared().drop("services_on_ray")


@pytest.fixture(scope="module")
def napping(cloud: Server) -> Service:
    return deploy(cloud, "nap", NAP)


@pytest.fixture
def enough(machines: Cluster) -> Cluster:
    """The cluster, with two nodes at least that run programs."""
    while len([node for node in machines.nodes[1:] if node.process.poll() is None]) < 2:
        machines.add()
    return machines


def actors(machines: Cluster) -> dict[int, Node]:
    """The actors of executions, by their process ids, and where they are."""
    return {
        pid: node
        for node in machines.nodes
        for pid in session(node.process.pid)
        if command(pid).startswith("ray::ServiceActor")
    }


def programs(machines: Cluster) -> dict[int, Node]:
    """The same of the children in which programs run; another kind of child tries what a node can isolate."""
    return {
        child: node
        for actor, node in actors(machines).items()
        for child in children(actor)
        if command(child).rstrip().endswith("services/child")
    }


def send(number: signal.Signals, pids: list[int]) -> None:
    """A signal, to those that live."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def messages(service: Service, execution: str) -> list[str]:
    """Its log."""
    return [line["message"] for line in service.get(f"/{execution}/log")]


def begun(service: Service, body: object) -> str:
    """An execution that has written into its log."""
    execution = service.start(body)
    service.wait(execution, until={"RUNNING"}, seconds=READY_SECONDS)
    wait_for(lambda: messages(service, execution), 20)
    return execution


@pytest.fixture(params=["a dispatcher beside PostgreSQL", "one server with SQLite"])
def either(request: pytest.FixtureRequest, machines: Cluster, tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A cloud, and the home of what sends its executions to the nodes."""
    if request.param == "one server with SQLite":
        environment = machines.environment | LIMITS | {"QUMULUS_RUNNER": machines.address}
        with Server(tmp_path / "alone", environment=environment) as server:
            yield server, server.home
    else:
        yield request.getfixturevalue("cloud"), request.getfixturevalue("folder") / "dispatches"


def test_an_execution_runs_on_a_node_and_its_result_files_log_and_interim_results_come_back(either, machines, folder):
    cloud, home = either
    service = deploy(
        cloud,
        "far",
        """
        import os, pathlib
        def run(values, numbers, data):
            print('PlanQK:Job:InterimResult: {"seen": 1}')
            files = {path.name: path.read_text() for path in numbers.iterdir()}
            (numbers / "b.csv").write_text("2.5")
            (numbers / "gone.csv").unlink()
            pathlib.Path(os.environ["OUTPUT_DIRECTORY"], "picture.bin").write_bytes(bytes(range(256)) * 1000)
            print("the secret is", os.environ["SECRET_KEY"])
            return {
                "sum": sum(values),
                "files": files,
                "data": data,
                "own": pathlib.Path(os.environ["DATAPOOL_DIRECTORY"], "own", "a.csv").read_text(),
                "secret": os.environ["SECRET_KEY"][::-1],
                "variables": [name for name in os.environ if name.startswith(("RAY_", "QUMULUS_"))],
                "sees": os.path.exists("HOME_OF_CLOUD"),
            }
        """.replace("HOME_OF_CLOUD", str(folder)),
        **{"datapool/own/a.csv": "its own"},
    )
    pools = f"{cloud.url}/platform/datapools"
    pool = httpx2.post(pools, json={"name": "Numbers"}, headers=CALLER).json()["id"]
    for name in ("a.csv", "gone.csv"):
        file = httpx2.post(f"{pools}/{pool}/files", files={"file": (name, b"1.5")}, headers=CALLER).json()
    body = {
        "values": list(range(100_000)),
        "numbers": {"id": pool, "ref": "DATAPOOL"},
        "dataRef": {"dataPoolId": pool, "dataSourceDescriptorId": "any", "fileId": file["id"]},
        "$secrets": {"key": "tell nobody"},
    }
    execution = service.start(body)
    assert service.wait(execution, seconds=READY_SECONDS)["status"] == "SUCCEEDED", service.get(f"/{execution}/log")
    answer = service.get(f"/{execution}/result")
    assert answer["sum"] == sum(range(100_000))
    assert answer["files"] == {"a.csv": "1.5", "gone.csv": "1.5"}
    assert answer["data"] == 1.5
    assert answer["own"] == "its own"
    assert answer["secret"] == "tell nobody"[::-1]
    assert answer["variables"] == []
    assert answer["sees"] is False
    picture = service.http.get(f"/{execution}/result/picture.bin").content
    assert picture == bytes(range(256)) * 1000
    assert "the secret is [redacted]" in messages(service, execution)
    assert service.get(f"/{execution}/interim-results")[0]["seen"] == 1
    names = [file["name"] for file in httpx2.get(f"{pools}/{pool}/files", headers=CALLER).json()]
    assert names == ["a.csv", "b.csv"]
    kept = Path(machines.environment["QUMULUS_NODE_FOLDER"])
    assert len(list((kept / "packages").iterdir())) == 1
    assert list((kept / "runs").iterdir()) == []
    assert list((home / "services" / "runs").iterdir()) == []


def test_a_program_reaches_the_server_with_the_token_of_its_execution(cloud):
    service = deploy(
        cloud,
        "calling",
        """
        import json, os, urllib.request
        def run():
            headers = {"X-Auth-Token": os.environ["KQH_SERVICE_EXECUTION_TOKEN"]}
            address = os.environ["QHUB_QUANTUM_BASE_URL"]
            with urllib.request.urlopen(urllib.request.Request(address + "/backends", headers=headers)) as answer:
                return {"status": answer.status, "address": address}
        """,
    )
    answer = service.run()
    assert answer.get("status") == 200, answer
    assert answer["address"] == f"{cloud.url}/quantum"


def test_the_packages_of_a_service_are_installed_on_the_node(cloud, machines, tmp_path):
    """From a wheel that is made here; the installer asks nobody else."""
    with zipfile.ZipFile(tmp_path / "greeting-1.0-py3-none-any.whl", "w") as wheel:
        about = "greeting-1.0.dist-info"
        wheel.writestr("greeting.py", "def greet(): return 'hello'")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    tmp_path.parent.chmod(0o755)
    service = deploy(
        cloud,
        "greeting",
        "import greeting\ndef run(): return [greeting.greet(), greeting.__file__]",
        requirements__txt=f"--no-index\n--find-links {tmp_path}\ngreeting",
    )
    execution = service.start()
    assert service.wait(execution, seconds=READY_SECONDS)["status"] == "SUCCEEDED", service.get(f"/{execution}/log")
    said, file = json.loads(service.http.get(f"/{execution}/result/output.json").content)
    assert said == "hello"
    assert file.startswith(f"{machines.environment['QUMULUS_NODE_FOLDER']}/environments/")


def test_what_runs_is_seen_while_it_runs_and_cancelling_ends_all_of_it_though_it_ignores_that(cloud, machines):
    marker = f"qumulus-grandchild-{os.getpid()}"
    service = deploy(
        cloud,
        "stubborn",
        f"""
        import signal, subprocess, sys, time
        def run():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            code = "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(600)"
            subprocess.run([sys.executable, "-c", code, "{marker}"])
            print("begun")
            time.sleep(600)
        """,
    )
    execution = begun(service, {})
    assert messages(service, execution) == ["begun"]
    (program,) = programs(machines)
    left = [program, *family(program)]
    assert any(marker in command(pid) for pid in left)
    asked = time.monotonic()
    service.http.put(f"/{execution}/cancel").raise_for_status()
    assert service.wait(execution)["status"] == "CANCELLED"
    gone(left, 5)
    assert time.monotonic() - asked < 6
    wait_for(lambda: actors(machines) == {}, 5)


def test_the_cores_and_the_memory_of_a_service_are_asked_of_ray_and_what_does_not_fit_waits(cloud, machines):
    service = deploy(cloud, "wide", NAP, planqk__json='{"resources": {"cpu": 2, "memory": 0.5}}')
    execution = begun(service, {"seconds": 600})

    def taken() -> bool:
        """A place of simulations has a core and a GiB, an actor what its service asks for and a quarter of a GiB."""
        total, left = resources(machines)
        memory = total["memory"] - left.get("memory", 0)
        places, beside = divmod(memory, GiB)
        return beside == 0.75 * GiB and total["CPU"] - left.get("CPU", 0) == places + 2

    wait_for(taken, 30)
    waiting = service.start({"seconds": 0})
    job = f"{cloud.url}/emulator/jobs/{waiting}"
    wait_for(lambda: httpx2.get(job, headers=ADMIN).json()["state"] == "claimed", 10)
    time.sleep(2)
    assert service.get(f"/{waiting}")["status"] == "PENDING"
    for each in (waiting, execution):
        service.http.put(f"/{each}/cancel").raise_for_status()
        assert service.wait(each, seconds=5)["status"] == "CANCELLED"
    assert service.get(f"/{waiting}/log") == []


def resources(machines: Cluster) -> tuple[dict[str, float], dict[str, float]]:
    """What Ray says that the cluster has, and what is left of it."""
    said = subprocess.run(
        [sys.executable, "-c", RESOURCES, machines.address],
        env=os.environ | machines.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    total, left = json.loads(said.splitlines()[-1])
    return total, left


def test_executions_and_simulations_share_the_nodes(cloud, napping):
    executions = [napping.start({"seconds": 8}) for _ in range(2)]
    for execution in executions:
        napping.wait(execution, until={"RUNNING"}, seconds=READY_SECONDS)
    task = ask(cloud, "POST", "/task", TASK)[1]["task_id"]
    wait_for(lambda: ask(cloud, "GET", f"/task/{task}/status")[1]["status"] == "COMPLETED", READY_SECONDS)
    for execution in executions:
        assert napping.wait(execution)["status"] == "SUCCEEDED"


def test_a_program_that_uses_too_much_is_ended_on_its_node_as_on_one_machine(cloud):
    service = deploy(cloud, "large", "def run(): return len(bytearray(1 << 30))")
    execution = service.start()
    assert service.wait(execution, seconds=READY_SECONDS)["status"] == "FAILED"
    assert "MemoryError" in service.get(f"/{execution}/result")["detail"]


def test_a_service_that_no_node_is_large_enough_for_fails_with_the_figures(cloud):
    service = deploy(cloud, "huge", NAP, planqk__json='{"resources": {"cpu": 64}}')
    execution = service.start({"seconds": 1})
    assert service.wait(execution, seconds=READY_SECONDS)["status"] == "FAILED"
    assert "64 cores" in service.get(f"/{execution}/result")["detail"]


@pytest.mark.parametrize(
    ("address", "end"),
    [
        pytest.param("address", signal.SIGKILL, id="killed"),
        pytest.param("address", signal.SIGTERM, id="stopped"),
        pytest.param("client_address", signal.SIGKILL, id="killed as a client of Ray"),
    ],
)
def test_what_runs_ends_with_its_dispatcher_and_what_waits_for_a_room_is_run_by_another_one(
    enough, address, end, tmp_path
):
    url = postgres.shared().database("services_of_two")
    runner = getattr(enough, address)
    with answering(tmp_path, url) as server:
        with dispatching(runner, enough, tmp_path / "first", server, url) as first:
            service = deploy(server, "wide", NAP, planqk__json='{"resources": {"cpu": 2}}')
            runs = begun(service, {"seconds": 600, "$secrets": {"key": "tell nobody"}})
            waits = [service.start({"seconds": seconds, "$secrets": {"key": "tell nobody"}}) for seconds in (0, 0, 0)]
            left = [pid for actor in actors(enough) for pid in (actor, *family(actor))]
            assert len(programs(enough)) == 1
            first.send_signal(end)
            gone(left, 30)
            assert actors(enough) == {}
            first.wait(30)
        with dispatching(runner, enough, tmp_path / "second", server, url):
            assert service.wait(runs, seconds=READY_SECONDS)["status"] == "FAILED"
            assert "runs once only" in service.get(f"/{runs}/result")["detail"]
            for execution in waits:
                assert service.wait(execution, seconds=READY_SECONDS)["status"] == "SUCCEEDED"
                assert messages(service, execution) == ["begun"]
    postgres.shared().drop("services_of_two")


def test_an_execution_whose_driver_is_lost_runs_again(napping, enough, dispatchers):
    execution = begun(napping, {"seconds": 6})
    (driver,) = [pid for pid in children(dispatchers[0].pid) if "cluster.services.driver" in command(pid)]
    kill(driver)
    assert napping.wait(execution, seconds=READY_SECONDS)["status"] == "SUCCEEDED"
    assert messages(napping, execution) == ["begun", AGAIN, "begun"]


def test_an_execution_whose_node_is_lost_runs_again_elsewhere_and_once_only(napping, enough):
    execution = begun(napping, {"seconds": 6, "$secrets": {"key": "goes along"}})
    for second_time in (False, True):
        ((_, node),) = programs(enough).items()
        assert node is not enough.nodes[0]
        node.kill()
        if second_time:
            break
        enough.add()
        wait_for(lambda: messages(napping, execution) == ["begun", AGAIN, "begun"], READY_SECONDS)
    assert napping.wait(execution, seconds=READY_SECONDS)["status"] == "FAILED"
    assert "the one on which it was begun again" in napping.get(f"/{execution}/result")["detail"]
    assert messages(napping, execution) == ["begun", AGAIN, "begun"]


def test_what_a_node_still_says_after_its_execution_was_begun_elsewhere_changes_nothing(cloud, enough):
    service = deploy(
        cloud,
        "marking",
        """
        import os, time
        def run(marks):
            mark = os.urandom(8).hex()
            print("begun")
            until = time.monotonic() + 10
            while time.monotonic() < until:
                time.sleep(0.1)
            (marks / mark).write_text(mark)
            print("marked", mark)
            return {"mark": mark}
        """,
    )
    pools = f"{cloud.url}/platform/datapools"
    pool = httpx2.post(pools, json={"name": "Marks"}, headers=CALLER).json()["id"]
    execution = begun(service, {"marks": {"id": pool, "ref": "DATAPOOL"}})
    ((program, node),) = programs(enough).items()
    (actor,) = actors(enough)
    everything, run = session(node.process.pid), [actor, *family(actor)]
    send(signal.SIGSTOP, [*everything, *run])  # as if nothing reached the node any more
    try:
        wait_for(lambda: messages(service, execution) == ["begun", AGAIN, "begun"], LOST_SECONDS)
        send(signal.SIGCONT, run)  # its time is over: the program goes on to its end, and the actor has an outcome
        gone([program], 30)
    finally:
        send(signal.SIGCONT, everything)
    assert service.wait(execution, seconds=READY_SECONDS)["status"] == "SUCCEEDED"
    mark = service.get(f"/{execution}/result")["mark"]
    gone([actor], 30)
    assert messages(service, execution) == ["begun", AGAIN, "begun", f"marked {mark}"]
    files = httpx2.get(f"{pools}/{pool}/files", headers=CALLER).json()
    assert [file["name"] for file in files] == [mark]
    node.kill()


def test_a_node_that_has_no_sandbox_is_passed_over_and_where_there_is_no_other_one_the_execution_fails(
    napping, enough, folder
):
    bare = enough.add(before=[sys.executable, denying.__file__])
    executions = [napping.start({"seconds": 3}) for _ in range(4)]
    seen: set[int] = set()
    while any(napping.get(f"/{execution}")["status"] in ("PENDING", "RUNNING") for execution in executions):
        seen |= programs(enough).keys()
        assert bare not in programs(enough).values()
    for execution in executions:
        assert napping.get(f"/{execution}")["status"] == "SUCCEEDED"
    assert seen
    for node in enough.nodes[1:]:
        if node is not bare and node.process.poll() is None:
            node.kill()
    execution = napping.start({"seconds": 1})
    while napping.get(f"/{execution}")["status"] in ("PENDING", "RUNNING"):
        assert programs(enough) == {}
    assert napping.get(f"/{execution}")["status"] == "FAILED"
    assert "can keep a program from other files" in napping.get(f"/{execution}/result")["detail"]
    assert "can't keep a program from other files" in (folder / "dispatches.log").read_text()
