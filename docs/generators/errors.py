"""Errors with their causes and what to do: those of requests, those of jobs, and the codes of IBM's registry."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from qumulus.apis.ibm.runtime import errors as runtime
from qumulus.core import errors as core
from qumulus.core.results import Failure
from qumulus.openapi.contract import STATUSES
from qumulus.payloads import runtime_errors

from .markdown import sentence, table

REMEDIES = {
    core.InvalidRequest: "Send the request as the document of the API says: Swagger UI at `/docs` has it.",
    core.NotAuthenticated: "Send a token of this server: `qumulus env FAMILY` prints one, `qumulus tokens create API` makes one.",
    core.NotAllowed: "Use the credentials of the account that has this, or the administrator's.",
    core.LimitReached: "Raise the limit of the instance, use another one, or delete what you don't need.",
    core.Excluded: "Send one of the two members.",
    core.TooLarge: "Send less, or raise the limit that the sentence names: [limits](limits.md) has the settings.",
    core.NotFound: "Look at the list: an id of another account is not there for you.",
    core.UnknownDevice: "`qumulus devices list` shows the names. `--fleet` says which devices there are.",
    core.UnknownCalibration: "`qumulus emulator calibrations list DEVICE` shows the ids.",
    core.UnknownJob: "`qumulus jobs list` shows the jobs of all accounts. Use the token of the account that sent it. Old jobs go by [the rules](../operating.md#what-is-kept).",
    core.UnknownSession: "The console lists all sessions. Open a new one.",
    core.UnknownService: "`qumulus services list` shows the names. Deploy it: `qumulus services add DIR`.",
    core.UnknownPool: "Make the data pool, or use the token of the account that has it, or a grant.",
    core.UnknownFile: "Read the list of files first: names are exact.",
    core.UnknownFault: "`qumulus emulator faults list` shows the ids. A scenario takes all faults back when it begins.",
    core.UnknownAccount: "`qumulus accounts list` shows the ids.",
    core.NoResult: "Wait until the job has ended. A failed job has a reason in place of a result.",
    core.AccountClosed: "An administrator approves the account: `PATCH /admin/users/…`.",
    core.DeviceNotAllowed: "Use one of the devices that the list shows, or ask the administrator for this one.",
    core.QuotaReached: "Delete jobs, wait until some have ended, or raise `QUMULUS_QUOTA`: [operating](../operating.md).",
    core.WrongState: "Read the state first: it may have changed meanwhile.",
    core.IllegalTransition: "Read the state of the job: one that has ended stays as it is.",
    core.SessionClosed: "Open a new session.",
    core.DeviceUnavailable: "Take another device, or wait. `qumulus devices set DEVICE --online` takes it back.",
    core.Draining: "Wait until the server is back. What it had accepted is kept.",
    core.StorageFull: "Free some space, or keep less: `--keep`. What was accepted is kept.",
    core.Unavailable: "Send the request again after the seconds that `Retry-After` names.",
}
"""What to do about each kind of error; a kind has that of the nearest one above it."""

FAILURES = {
    Failure.PROGRAM: (
        "The program is wrong: it does not parse, it does not fit the device, or it raised an error.",
        "Read the reason: it names the place in the program. Transpile for the device.",
    ),
    Failure.REFUSED: (
        "The program is over a limit by its estimate. Nothing was run.",
        "Read the figures in the log. Raise the limit that they name, or make the program smaller.",
    ),
    Failure.TIME: ("The run took longer than it may.", "Set `--job-seconds`, or send smaller jobs."),
    Failure.MEMORY: ("The run needed more memory than it may.", "Set `--worker-memory-mib`, or use fewer qubits."),
    Failure.CRASHED: (
        "The worker died in each attempt.",
        "Read the log of the job and of the server. Only this job is lost.",
    ),
    Failure.LOST: (
        "The job may run only once, and the server died meanwhile.",
        "Send the job again, if doing it twice does no harm.",
    ),
    Failure.INTERNAL: ("The server made a mistake.", "Report it with the traceback in the server's log."),
}
APIS = Path(inspect.getfile(core)).parents[1] / "apis"


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "Every error is a whole sentence that says what to do. Each cloud has its own form for it: Qumulus answers in that form."
    yield "[Troubleshooting](../troubleshooting.md) starts from what you see."
    yield from ("", "## Of a request", "")
    yield "The status is that of most APIs: one whose document declares another status answers with that. IBM Quantum has a code"
    yield "besides, which the client shows."
    yield ""
    yield from table(("error", "status", "IBM code", "cause", "what to do"), _requests())
    yield from ("## Of a job", "", "`reason` is the label of `qumulus_job_failures_total`.", "")
    yield from table(("reason", "cause", "what to do"), ((f"`{each.value}`", *FAILURES[each]) for each in Failure))
    yield from ("## Codes of IBM Quantum", "")
    yield "The messages are the service's own. *Raised here* says whether Qumulus ever answers with the code by itself: a fault that you"
    yield "[ask for](../emulation.md) can have any of them."
    yield ""
    yield from table(("code", "message", "what to do", "raised here"), _codes())


def _requests() -> Iterator[tuple[str, str, str, str, str]]:
    for error in _tree(core.QumulusError):
        status = next((str(STATUSES[each]) for each in error.__mro__ if each in STATUSES), "")
        remedy = next((REMEDIES[each] for each in error.__mro__ if each in REMEDIES), "")
        if not remedy:
            continue
        code = next(str(runtime.REGISTRY[each].code) for each in error.__mro__ if each in runtime.REGISTRY)
        yield f"`{error.__name__}`", status, code, sentence((error.__doc__ or "").split("\n\n")[0]), remedy


def _tree(error: type[core.QumulusError]) -> Iterator[type[core.QumulusError]]:
    yield error
    for each in error.__subclasses__():
        if each.__module__ == core.__name__ and each.__bases__[0] is error:
            yield from _tree(each)


def _codes() -> Iterator[tuple[int, str, str, str]]:
    raised = _raised()
    for code, entry in sorted(runtime_errors.REGISTRY.items()):
        yield code, entry.message.replace("{}", "…"), entry.solution, "yes" if code in raised else ""


def _raised() -> set[int]:
    """Return the codes that stand in the code: by their names, or in the table of the API."""
    names = {name: value for name, value in vars(runtime_errors).items() if name.isupper() and isinstance(value, int)}
    found = {entry.code for entry in runtime.REGISTRY.values()}
    for path in (APIS.parent).rglob("*.py"):
        if (
            path.name == "runtime_errors.py"
            or "schemas" in path.parts
            or not (text := path.read_text()).count("runtime_errors")
        ):
            continue
        for node in ast.walk(ast.parse(text)):
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            if name in names:
                found.add(names[name])
    return found
