"""The entry of worker processes: one program in, its outcome out.

``check`` and ``warm`` are called in the fork server before it is frozen and forked; ``run`` in a worker, for each program. The fork server never
simulates and never transpiles: a child forked afterwards would hang in a thread pool that it does not have.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import replace

from qumulus import payloads
from qumulus.core.errors import UnknownCalibration, UnknownDevice
from qumulus.core.kinds import UnknownKind
from qumulus.core.programs import Program
from qumulus.core.queues import device_seconds
from qumulus.core.results import Failure, Log, Outcome, Severity
from qumulus.core.sent_devices import unpacked

from . import client_package
from .devices import SENT, device_model
from .errors import OverUsage, ProgramError, Refused
from .machine import measured_slowness
from .meter import Admit, Meter, at_once, metered
from .progress import Progress, followed
from .runners import RUNNERS, runner
from .sharing import allowed


def check() -> None:
    """Compare what is run here with the kinds of programs that are simulated.

    Raises:
        KindsDiffer
    """
    RUNNERS.check(payloads.SIMULATED)


def warm(devices: Iterable[str] = ()) -> None:
    """Import all programs, read the calibrations of these devices with their targets, and see how fast the machine is."""
    client_package.defer()
    importlib.import_module("qiskit_ibm_runtime.transpiler.plugin")  # the first transpilation would
    for kind in RUNNERS:
        runner(kind)
    for name in devices:
        _ = device_model(name).isa_target
    measured_slowness()  # all workers of this machine have it from here


def run(program: Program, log: Log, admit: Admit = at_once) -> Outcome:
    """Run one program. What the person has to mend becomes a failed outcome; our own errors are raised."""
    meter = Meter(admit, log, repeatable=program.repeatable)
    try:
        SENT.take(unpacked(program.documents) if program.documents else None)
        room = program.limits.memory_bytes if program.room_bytes is None else program.room_bytes
        with metered(meter), followed(Progress(log)), allowed(program.processes, room):
            outcome = runner(program.kind)(program, log)
    except UnknownKind as error:
        log(str(error), Severity.ERROR)
        outcome = Outcome(failure=Failure.INTERNAL, reason=str(error))
    except (UnknownDevice, UnknownCalibration) as error:  # it was removed since the job came
        outcome = Outcome(failure=Failure.PROGRAM, reason=error.message)
    except ProgramError as error:
        outcome = Outcome(failure=Failure.PROGRAM, reason=error.message, reason_code=error.code)
    except Refused as error:
        for line in error.lines:
            log(f"{line}.", Severity.INFO)
        outcome = Outcome(failure=Failure.REFUSED, reason=error.message, metadata={"estimates": error.figures})
    except OverUsage as error:
        outcome = Outcome(failure=Failure.TIME, reason=error.message)
    except MemoryError:
        outcome = Outcome(
            failure=Failure.MEMORY, reason="The program used more memory than a worker may: use fewer qubits."
        )
    metadata = {**outcome.metadata} if program.repeatable else {**outcome.metadata, "timings": meter.timings()}
    if meter.billed is not None:
        metadata |= {"billed": meter.billed, "executing": meter.executing}
    used = meter.used(failed=outcome.failure not in (None, Failure.TIME))
    if program.repeatable and meter.billed is None:
        used = device_seconds(program.shots)
    return replace(outcome, metadata=metadata, run_seconds=used)
