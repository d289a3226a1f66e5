"""Qumulus on many machines, all of them played by this one: PostgreSQL, an S3 store, two nodes of a Ray cluster, two
dispatchers, three API processes and nginx in front. Nothing is shared but the database and the store: each process has a folder
of its own, as if it were a machine.

It needs nginx and what `make setup` installs, the database and the store among it:

    apt-get install nginx-light                            # or the nginx of another system
    make setup
    .venv/bin/python examples/cluster/deployment.py

starts everything, prints the address and stops when it is interrupted; with `--check` it runs simulations and the executions of a
service, kills a dispatcher, an API process and a node in between, and says whether all succeeded. In earnest, give
QUMULUS_DATABASE, QUMULUS_BLOBS and QUMULUS_RUNNER your own.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[2] / "tests"))

try:
    import postgres
    from clusters import Cluster
    from servers import free_port
    from stores import CREDENTIALS, Store
except ModuleNotFoundError as missing:
    sys.exit(f"{missing}: run `make setup` once, and this by `.venv/bin/python examples/cluster/deployment.py`.")

HERE = Path(__file__).parent
APIS, DISPATCHERS, NODES = 3, 2, 2
READY_SECONDS = 180
JOBS, EXECUTIONS = 40, 6
HEADERS = {"q-api-token": "local.qumulus-local", "Authorization": "Bearer qumulus-local"}
ADMINISTRATOR = {"Authorization": "Bearer qumulus-admin"}
BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
LONG = BELL.replace(";", ";\n// " + "a comment that no row holds " * 4000 + "\n", 1)
PROGRAM = """
import time
def run(number):
    time.sleep(1)
    return {"doubled": 2 * number}
"""
FINAL = {"COMPLETED", "SUCCEEDED", "FAILED", "CANCELLED"}


class Work(NamedTuple):
    """What is asked for: the path and the body to submit it, the name of its id, and the path below which its status is."""

    path: str
    body: dict[str, object]
    id: str
    status: str


def task(code: str) -> Work:
    """A simulation on a device with noise."""
    return Work("/task", {"code": code, "device": "Kawasaki", "n_shots": 1000}, "task_id", "/task/{}/status")


SMALL, LARGE = task(BELL), task(LONG)
EXECUTION = Work("/services/double", {"number": 21}, "id", "/services/double/{}")


class Deployment:
    """Everything, in a folder. Use it in a `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.apis: list[subprocess.Popen[bytes]] = []
        self.dispatchers: list[subprocess.Popen[bytes]] = []
        self.cluster = Cluster(nodes=NODES, cpus=1)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Deployment:
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(postgres.temporary()).database("qumulus")
            told("PostgreSQL runs")
            store = stack.enter_context(Store())
            told("the S3 store runs")
            stack.enter_context(self.cluster)
            told(f"the Ray cluster runs on {NODES} nodes")
            environment = os.environ | CREDENTIALS | self.cluster.environment
            environment |= {"QUMULUS_DATABASE": database, "QUMULUS_BLOBS": store.url()}
            environment |= {"QUMULUS_SERVICES_KEY": secrets.token_hex(32)}
            ports = [free_port() for _ in range(APIS)]
            stack.callback(self._end)
            for number, port in enumerate(ports):
                more = {"QUMULUS_PORT": str(port), "QUMULUS_API_ONLY": "true"}
                self.apis.append(self._begin("serve", number, environment | more))
            for number in range(DISPATCHERS):
                more = {"QUMULUS_RUNNER": self.cluster.address}
                self.dispatchers.append(self._begin("worker", number, environment | more))
            self._nginx = self._front(ports)
            until(self._healthy, "the API answers")
            told(f"{APIS} API processes and {DISPATCHERS} dispatchers run behind nginx on {self.url}")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _begin(self, command: str, number: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        name = f"{command}-{number}"
        environment |= {"QUMULUS_HOME": str(self.folder / name)}
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "qumulus", command], env=environment, stdout=log, stderr=log, cwd=self.folder
            )

    def _front(self, ports: list[int]) -> subprocess.Popen[bytes]:
        self.folder.chmod(0o711)  # nginx' workers, another user where we are root, keep large bodies in it
        servers = "\n".join(f"    server 127.0.0.1:{port};" for port in ports)
        filled = string.Template((HERE / "nginx.conf").read_text()).substitute(
            port=self.url.rpartition(":")[2], folder=self.folder, servers=servers
        )
        configuration = self.folder / "nginx.conf"
        configuration.write_text(filled)
        with (self.folder / "nginx.log").open("wb") as log:
            command = [nginx() or "nginx", "-p", str(self.folder), "-c", str(configuration), "-e", "stderr"]
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _healthy(self) -> bool:
        for process in (self._nginx, *self.apis, *self.dispatchers):
            if process.poll() is not None:
                logs = "\n".join(f"== {log.name}\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
                raise SystemExit(f"A process has ended:\n{logs}")
        return self.ask("GET", "/health")[0] == 200

    def _end(self) -> None:
        processes = [self._nginx, *self.apis, *self.dispatchers]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] = HEADERS
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer; 0 where there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, headers | {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, {"error": error.read().decode()}
        except OSError:
            return 0, {}

    def deploy(self, program: str) -> None:
        """Deploy the service of `EXECUTION`."""
        address = "/emulator/services/double"
        files = {"src/program.py": base64.b64encode(program.encode()).decode()}
        status, answer = self.ask("PUT", address, {"files": files}, ADMINISTRATOR)
        if status != 201:
            raise SystemExit(f"The service was refused with {status}: {answer}")
        until(
            lambda: self.ask("GET", address, headers=ADMINISTRATOR)[1].get("state") == "READY", "the service is ready"
        )

    def submit(self, work: Work, count: int) -> list[str]:
        """The status paths of so much work; what was not acknowledged is sent again."""
        submitted: list[str] = []
        while len(submitted) < count:
            status, answer = self.ask("POST", work.path, work.body)
            if status in (200, 201):
                submitted.append(work.status.format(answer[work.id]))
            elif status not in (0, 502, 503):
                raise SystemExit(f"{work.path} was refused with {status}: {answer}")
        return submitted

    def ended(self, submitted: list[str]) -> Counter[str]:
        """How all of it ended."""
        left = list(submitted)
        result: Counter[str] = Counter()

        def all_final() -> bool:
            nonlocal left
            now = {path: self.ask("GET", path)[1].get("status", "") for path in left}
            left = [path for path in left if now[path] not in FINAL]
            result.update(state for state in now.values() if state in FINAL)
            return not left

        until(all_final, f"{len(submitted)} jobs have ended")
        return result


def check(deployment: Deployment) -> bool:
    """Run jobs while processes and a node are killed; whether every job succeeded."""
    deployment.deploy(PROGRAM)
    told("a service is deployed")
    submit = deployment.submit
    first = deployment.ended(submit(EXECUTION, EXECUTIONS) + submit(SMALL, JOBS) + submit(LARGE, 2))
    told(f"{dict(first)} of {JOBS} small and 2 large simulations and {EXECUTIONS} executions")
    submitted = submit(SMALL, JOBS // 2)
    deployment.dispatchers[0].kill()
    told("one dispatcher was killed")
    deployment.apis[0].kill()
    told("one API process was killed")
    submitted += submit(EXECUTION, EXECUTIONS)
    deployment.cluster.nodes[-1].kill()
    told("one node of the Ray cluster was killed")
    second = deployment.ended(submitted + submit(SMALL, JOBS // 2))
    told(f"{dict(second)} of {JOBS} simulations and {EXECUTIONS} executions")
    return set(first) | set(second) == {"COMPLETED", "SUCCEEDED"}


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Not within {READY_SECONDS} s: {what}.")
        time.sleep(0.2)


def nginx() -> str | None:
    """The program, wherever it is installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def told(sentence: str) -> None:
    """Say how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="run jobs, kill a part of everything, and end")
    checking = parser.parse_args().check
    if nginx() is None:
        sys.exit("nginx is missing: install it, such as with `apt-get install nginx-light`.")
    with tempfile.TemporaryDirectory(prefix="qumulus-cluster-") as folder, Deployment(Path(folder)) as deployment:
        if checking:
            passed = check(deployment)
            if not passed:
                for log in sorted(Path(folder).glob("*.log")):
                    print(f"== {log.name}\n{log.read_text()[-2000:]}")
            sys.exit(not passed)
        told("Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
