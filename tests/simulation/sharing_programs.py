"""Run as a process of its own, with one thread: shares some parts, and prints what came of them as JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from base64 import b64decode

import qumulus.simulation  # noqa: F401 - before numpy: one thread

import numpy as np  # isort: skip

from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.payloads.zip_files import unpack_json
from qumulus.simulation import sharing
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.meter import Meter, meter, metered
from qumulus.simulation.sharing import Part, allowed, parts

US = os.getpid()


def part(index: int) -> Part:
    """A part that says where it was run, draws from its own seed, and writes a line."""
    meter().log(f"part {index}")
    time.sleep(0.02)
    drawn = np.random.default_rng([7, index]).integers(0, 100, (2, 3))
    return Part({"index": index, "helped": os.getpid() != US}, {"drawn": drawn, "none": np.zeros((0, 4))})


def dies(index: int) -> Part:
    """One whose helper is killed while it runs."""
    if index == 3 and os.getpid() != US:
        os.kill(os.getpid(), signal.SIGKILL)
    return part(index)


def fails(index: int) -> Part:
    """One that a person has to mend."""
    if index == 4:
        raise ProgramError("The fifth is wrong.")
    return part(index)


def needs(index: int) -> Part:
    """One with a method that needs memory: two at once would need more than there is."""
    with meter().method(60):
        return part(index)


def jobs() -> None:
    """Run the jobs that come by the standard input, each alone and with a helper, and print their results; times are left out."""
    from qumulus.simulation.worker import run  # the other parts of this module need no simulation

    ended = []
    for sent in json.loads(sys.stdin.read()):
        payload = b64decode(sent.pop("payload"))
        for processes in (1, 2):
            lines: list[str] = []
            outcome = run(
                Program(payload=payload, processes=processes, **sent), lambda text, *_, to=lines: to.append(text)
            )
            ended.append({"results": results(outcome), "lines": lines})
    print(json.dumps(ended))


def results(outcome: Outcome) -> object:
    """What a program has found, without the times that it took."""
    if outcome.files:
        return unpack_json(outcome.files["result.zip"], most_bytes=1 << 20)
    found = json.loads(outcome.result)
    if "data" in found:  # of the executor
        return found["data"]
    pubs = [each["__value__"] for each in found["__value__"]["pub_results"]]
    for each in pubs:
        each["metadata"]["simulation"].pop("seconds")
    return pubs


def main(name: str, processes: int) -> None:
    """Share eight parts between so many processes."""
    sharing._WORTH = 0.0
    if name == "jobs":
        jobs()
        return
    asked: list[int] = []
    lines: list[str] = []
    said: list[object] = []
    with metered(Meter(asked.append, lambda text, *_: lines.append(text))), allowed(processes, 100):
        try:
            said.extend(
                [each.members, each.arrays["drawn"].tolist(), each.arrays["none"].shape]
                for each in parts(8, globals()[name])
            )
        except ProgramError as error:
            said.append(error.message)
    print(json.dumps({"said": said, "asked": asked, "lines": sorted(lines)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
