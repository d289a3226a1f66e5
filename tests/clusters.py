"""Ray clusters on this machine: each node is a `ray start` of its own, on loopback, small, without dashboard or network."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dispatchers import PROGRAMS

MiB = 1 << 20
OBJECT_STORE_BYTES = 100 * MiB
START_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """One node: all its processes are one group."""

    def __init__(self, arguments: list[str], environment: dict[str, str], before: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*before, str(Path(sys.executable).parent / "ray"), "start", "--block", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait(self) -> Node:
        """Until it has joined its cluster."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "Ray runtime started" in line:
                return self
        raise AssertionError("".join(said))

    def kill(self) -> None:
        """As if the power had failed."""
        for pid in session(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def session(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(stat.parent.name))
    return found


class Cluster:
    """Some nodes with CPUs; the first one is the head, which may have another number of them. Use it in a `with`."""

    def __init__(self, nodes: int = 2, cpus: int = 1, head_cpus: int | None = None, **environment: str) -> None:
        self._size = nodes
        self._cpus = cpus
        self._head_cpus = cpus if head_cpus is None else head_cpus
        self._folder = tempfile.TemporaryDirectory(prefix="ray", dir="/tmp")  # sockets have short names
        self.address = f"127.0.0.1:{free_port()}"
        self.client_address = f"ray://127.0.0.1:{free_port()}"
        self.environment = {
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "1",  # seconds until what a client had that ended is free
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "PYTHONPATH": str(PROGRAMS),
        } | environment
        self.nodes: list[Node] = []

    def add(self, before: Sequence[str] = ()) -> Node:
        """One node more; ``before`` is what stands before its command."""
        cpus = self._cpus if self.nodes else self._head_cpus
        if self.nodes:
            place = ["--address", self.address]
        else:
            port, client = (address.rpartition(":")[2] for address in (self.address, self.client_address))
            place = ["--head", "--port", port, "--ray-client-server-port", client]
            place += ["--include-dashboard=false", "--temp-dir", self._folder.name]
        size = ["--num-cpus", str(cpus), "--object-store-memory", str(OBJECT_STORE_BYTES)]
        here = ["--node-ip-address", "127.0.0.1", "--disable-usage-stats"]
        self.nodes.append(Node([*place, *size, *here], os.environ | self.environment, before))
        return self.nodes[-1].wait()

    def __enter__(self) -> Cluster:
        try:
            for _ in range(self._size):
                self.add()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()
        self._folder.cleanup()
