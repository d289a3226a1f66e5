"""The frames of `execution.wire` that say what an execution takes along to another machine, and what comes back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from qumulus.core.errors import UnknownFile
from qumulus.core.results import Failure, LogLine, Outcome, Severity
from qumulus.execution.wire import BrokenWire, Message
from qumulus.services.execution import Input, Package
from qumulus.services.pool_folder import content_of, files_in, is_name
from qumulus.services.pool_mounts import Changes
from qumulus.services.resources import Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An execution as its machine gets it."""

    job_id: str
    version: str
    entrypoint: str
    requirements: Sequence[str]
    strict: bool
    resources: Resources
    network: bool
    unsandboxed: bool  # whether it may run where nothing keeps it from other files
    environment: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    body: bytes
    parameters: Mapping[str, bytes]
    pools: Mapping[str, Mapping[str, bytes]]  # files by parameter
    writable: Sequence[str]  # the parameters whose data pools are


def order(job_id: str, package: Package, execution_input: Input, *, network: bool, unsandboxed: bool) -> Message:
    """Return the frame of an execution. Its first part are the secrets."""
    brought = {name: pool for name, pool in execution_input.pools.items() if not pool.own}
    files = {name: dict(_contents(pool.folder)) for name, pool in brought.items()}
    members = {
        "job_id": job_id,
        "version": package.version,
        "entrypoint": package.entrypoint,
        "requirements": list(package.requirements),
        "strict": package.strict,
        "resources": asdict(package.resources),
        "network": network,
        "unsandboxed": unsandboxed,
        "environment": dict(execution_input.environment),
        "parameters": list(execution_input.parts),
        "pools": {name: list(each) for name, each in files.items()},
        "writable": [name for name, pool in brought.items() if pool.writable],
    }
    contents = [content for each in files.values() for content in each.values()]
    return Message(
        "run",
        members,
        [
            json.dumps(dict(execution_input.secrets)).encode(),
            execution_input.body,
            *execution_input.parts.values(),
            *contents,
        ],
    )


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in files_in(folder):
        with contextlib.suppress(UnknownFile):  # removed meanwhile
            yield file.name, content_of(folder, file.name)


def ordered(message: Message) -> Order:
    """Read the frame of an execution."""
    members, parts = dict(message.members), iter(message.parts)
    secrets, body = json.loads(next(parts)), next(parts)
    return Order(
        secrets=secrets,
        body=body,
        parameters={name: next(parts) for name in members.pop("parameters")},
        pools={name: {file: next(parts) for file in files} for name, files in members.pop("pools").items()},
        resources=Resources(**members.pop("resources")),
        **members,
    )


def lines(log_lines: Sequence[LogLine]) -> Message:
    """Return the frame of some lines of a log."""
    return Message("log", {"lines": [[line.time.isoformat(), line.text, line.severity.value] for line in log_lines]})


def told_lines(message: Message) -> list[LogLine]:
    """Read the log lines in a frame."""
    return [
        LogLine(datetime.fromisoformat(time), text, Severity(severity))
        for time, text, severity in message.members["lines"]
    ]


def ended(outcome: Outcome, pools: Mapping[str, Changes]) -> Message:
    """Return the frame of how a run ended, and what it did to its data pools."""
    members = {
        "failure": outcome.failure,
        "reason": outcome.reason,
        "metadata": dict(outcome.metadata),
        "run_seconds": outcome.run_seconds,
        "files": list(outcome.files),
        "pools": {name: [list(each.removed), list(each.written)] for name, each in pools.items()},
    }
    contents = [content for each in pools.values() for content in each.written.values()]
    return Message("ended", members, [outcome.result, *outcome.files.values(), *contents])


def told_end(message: Message) -> tuple[Outcome, Mapping[str, Changes]]:
    """Read from a frame how an execution ended.

    Raises:
        BrokenWire: it names what can be no file of a data pool.
    """
    members, parts = message.members, iter(message.parts)
    failure = members["failure"]
    outcome = Outcome(
        failure=None if failure is None else Failure(failure),
        reason=members["reason"],
        result=next(parts),
        files={name: next(parts) for name in members["files"]},
        metadata=members["metadata"],
        run_seconds=members["run_seconds"],
    )
    pools: dict[str, Changes] = {}
    for name, (removed, written) in members["pools"].items():
        if not all(is_name(file) for file in (*removed, *written)):
            raise BrokenWire("A machine says that a program has written a file that no data pool can have.")
        pools[name] = Changes(removed, {file: next(parts) for file in written})
    return outcome, pools
