"""The driver of executions: speaks with the server as a fork server does, one connection an execution, and with Ray."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from qumulus.cluster.driver import Tell, begin, line_of
from qumulus.cluster.sharing import Nodes, Size, actor_name, node_for, sizes
from qumulus.execution.wire import COMMAND, FORK, BrokenWire, Message, Wire, packed

from .actor import ServiceActor

log = logging.getLogger("qumulus.cluster")

HEAR_SECONDS = 0.2  # between two questions for the log of a run
ANSWER_SECONDS = 60.0  # in which an actor must answer
KILL_SECONDS = 15.0  # after which a run that was told to end is ended with its actor
OVERHEAD_BYTES = 256 << 20  # the actor itself
THREADS = 4  # of an actor: a run, what is heard of it, its end
PLACE_SECONDS = 60.0  # after which another node is tried
AGAIN_SECONDS = 0.5  # between two looks for a node


class Stopped(Exception):
    """The server wants the execution no more."""


class NoNodeAllowed(Exception):
    """No node can run the execution; the text says why."""


class ServiceActors:
    """Makes actors on nodes that are large enough, and that can keep a program from other files."""

    def __init__(self) -> None:
        self._unsafe: set[str] = set()
        self._lock = threading.Lock()

    def pass_over(self, node: str) -> None:
        """Pass over a node that has no sandbox."""
        log.warning("The node %s can't keep a program from other files: no execution is sent to it.", node)
        self._unsafe.add(node)

    def make(self, size: Size, *, unsandboxed: bool, elsewhere_than: str | None) -> tuple[str, Any] | None:
        """Return an actor and its node; None if it has to wait for another one to end, or for a node.

        Raises:
            NoNodeAllowed: no node may have it.
        """
        with self._lock:
            nodes = sizes(ray.nodes())
            fit = _fit(size, nodes, set() if unsandboxed else self._unsafe)
            node = node_for(size, nodes, list_named_actors(), [node for node in fit if node != elsewhere_than])
            return (node, _made(node, size)) if node else None


def _fit(size: Size, nodes: Nodes, unsafe: Collection[str]) -> Sequence[str]:
    """Return the nodes that may have an actor of that size.

    Raises:
        NoNodeAllowed: there are nodes, and none of them may.
    """
    large = [node for node, has in nodes.items() if has.holds(size)]
    fit = [node for node in large if node not in unsafe]
    if nodes and not large:
        raise NoNodeAllowed(
            f"The service asks for {size.cores} cores and {size.memory >> 20} MiB of memory, {OVERHEAD_BYTES >> 20} of them for "
            "what runs it, and no machine of the cluster has both: set the resources of its planqk.json, or add a larger machine."
        )
    if large and not fit:
        raise NoNodeAllowed(
            "No machine of the cluster that is large enough can keep a program from other files (no namespaces, no "
            "Landlock), so it was not run. Start the dispatchers with --allow-unsandboxed if that is what you want."
        )
    return fit


def _made(node: str, size: Size) -> Any:
    options = ray.remote(ServiceActor).options(
        name=actor_name(node, size, secrets.token_hex(8)),
        num_cpus=size.cores,
        memory=size.memory,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        max_concurrency=THREADS,
        max_restarts=0,  # starting another one and running again is for the server to say
        max_task_retries=0,
    )
    return options.remote()


class Visit:
    """One execution, from its order to its end."""

    def __init__(self, number: int, wire: Wire, actors: ServiceActors, on_end: Callable[[int], None]) -> None:
        self._number = number
        self._wire = wire
        self._actors = actors
        self._on_end = on_end
        self._actor: Any = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            self._go(self._next("run"))
        except (Stopped, BrokenWire):
            pass  # nobody waits for it any more
        except NoNodeAllowed as refused:
            self._fail("Not started", str(refused))
        except RayTaskError as error:  # what a method of the actor has raised
            log.exception("An execution could not be run on its node.")
            self._fail("Not started", f"The machine could not run it: {line_of(error.cause or error)}")
        except RayError as error:
            log.warning("The actor of an execution is gone: %s", line_of(error))
            with contextlib.suppress(BrokenWire):
                self._wire.send("lost", reason=line_of(error))
        finally:
            self._wire.close()
            self._end()
            self._on_end(self._number)

    def _fail(self, title: str, reason: str) -> None:
        with contextlib.suppress(BrokenWire):
            self._wire.send("failed", title=title, reason=reason)

    def _end(self) -> None:
        if self._actor is not None:
            ray.kill(self._actor, no_restart=True)
            self._actor = None

    def _go(self, order: Message) -> None:
        """Find it an actor, give this what it lacks, and pass on what the run says.

        Raises:
            Stopped, BrokenWire, NoNodeAllowed, RayError
        """
        self._enter(order)
        version = order.members["version"]
        if not self._await(self._actor.has.remote(version)):
            self._wire.send("package")
            self._await(self._actor.take.remote(version, self._next("package").parts[0]))
        if reason := self._await(self._actor.install.remote(order.members["requirements"], version)):
            self._fail("Not started", reason)
            return
        self._wire.send("placed")
        self._next("go")
        header, hidden, *parts = packed(order)
        self._follow(self._actor.run.remote(hidden, header, *parts))

    def _enter(self, order: Message) -> None:
        """Wait for an actor that may run the execution.

        Raises:
            Stopped, BrokenWire, NoNodeAllowed, RayError
        """
        resources, unsandboxed = order.members["resources"], order.members["unsandboxed"]
        size = Size(max(1, int(resources["cores"])), int(resources["memory_bytes"]) + OVERHEAD_BYTES)
        node, entering = None, None
        while True:
            if made := self._actors.make(size, unsandboxed=unsandboxed, elsewhere_than=node):
                self._end()
                node, self._actor = made
                entering = self._actor.enter.remote()
            if node is None:
                time.sleep(AGAIN_SECONDS)
                self._look()
                continue
            with contextlib.suppress(GetTimeoutError):  # simulations take long to leave it that node
                if self._await(entering, seconds=PLACE_SECONDS) or unsandboxed:
                    return
                self._actors.pass_over(node)
                self._end()
                node = None

    def _await(self, call: Any, seconds: float = math.inf) -> Any:
        """Return what a call returned, before anything runs.

        Raises:
            Stopped, BrokenWire, RayError
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                return ray.get(call, timeout=HEAR_SECONDS)
            except GetTimeoutError:
                if time.monotonic() > deadline:
                    raise
            self._look()

    def _next(self, say: str) -> Message:
        """Return the next frame, which has to be this one.

        Raises:
            Stopped, BrokenWire
        """
        message = self._wire.receive()
        if message is None or message.say != say:
            raise Stopped
        return message

    def _look(self) -> None:
        """See whether the server wants it no more, before anything runs.

        Raises:
            Stopped, BrokenWire
        """
        if self._wire.receive(0) is not None:  # it says nothing else
            raise Stopped

    def _follow(self, call: Any) -> None:
        """Pass on what a run says until its end, and have it end when the server says so.

        Raises:
            BrokenWire, RayError
        """
        kill_at = math.inf
        while True:
            try:
                frames, ended = ray.get(call, timeout=HEAR_SECONDS), True
            except GetTimeoutError:
                frames, ended = ray.get(self._actor.heard.remote(), timeout=ANSWER_SECONDS), False
            for frame in frames:
                self._wire.send_frame(frame)
            if ended:
                return
            if (message := self._wire.receive(0)) is not None:  # the server says nothing else than to stop it
                self._actor.stop.remote(message.members["why"])
                kill_at = time.monotonic() + KILL_SECONDS
            if time.monotonic() > kill_at:
                self._wire.send("lost", reason="it did not end when it was told to")
                return


def serve(control: socket.socket, tell: Tell) -> None:
    """Obey until the server is gone."""
    actors = ServiceActors()

    def on_end(number: int) -> None:
        tell("exited", number=number, code=0, peak_bytes=0, output="")

    while True:
        select.select([control], [], [])
        data, descriptors, _, _ = socket.recv_fds(control, COMMAND.size, 1)
        if len(data) < COMMAND.size:
            return
        what, number = COMMAND.unpack(data)
        if what == FORK:
            tell("forked", number=number, pid=0)  # its process is elsewhere
            Visit(number, Wire(socket.socket(fileno=descriptors[0])), actors, on_end)


def main() -> None:
    """`python -m qumulus.cluster.services.driver ADDRESS ENTRY DESCRIPTOR SERVER METHOD DEVICES MOST_BYTES`."""
    address, _entry, descriptor, server = sys.argv[1:5]
    control, tell = begin(address, int(descriptor), int(server))
    threading.Thread(target=_watch, daemon=True).start()
    tell("ready")
    serve(control, tell)
    os._exit(0)  # the actors end with their driver


def _watch() -> None:
    try:
        while True:
            ray.nodes()
            time.sleep(1)
    except Exception as error:  # without the cluster there is nothing to do here: the server starts another driver
        log.error("The cluster is gone: %s", line_of(error))
        os._exit(1)


if __name__ == "__main__":
    main()
