"""The registry of error codes of Qiskit Runtime, as data: what a code says, and what to do about it.

Jobs fail with these codes, and requests are refused with them. The messages are the service's own, with {} where it fills in a
value; the solutions are told in our words. Each entry names where it was read, newest first:

registry    quantum.cloud.ibm.com/docs/errors, as of September 2026
answers     answers of the real service that were published in 2026
archive     the registry as the client package had it until 2023; today's does not have the code any more, or was not seen whole
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Source(StrEnum):
    """Where an entry was read."""

    REGISTRY = "registry"
    ANSWERS = "answers"
    ARCHIVE = "archive"


class Entry(NamedTuple):
    """A line of the registry."""

    message: str
    solution: str
    source: Source = Source.REGISTRY

    def filled(self, *values: object) -> str:
        """Return the message with its values."""
        return self.message.format(*values)


_AGAIN = "Send it again; if it happens again, tell IBM."
_OTHER_BACKEND = "Use another backend to run the job."
_ANSWERS, _ARCHIVE = Source.ANSWERS, Source.ARCHIVE

INVALID = 1002
BACKEND_UNAVAILABLE = 1004
FAILED_AT_BACKEND = 1010
TOO_MANY_REQUESTS = 1202
TOO_MANY_TAGS = 1204
SESSION_CLOSED = 1217
RAN_TOO_LONG = 1305
NO_SESSION_IN_PLAN = 1352
WRONG_WIDTH = 1501
FIRST_VERSION = 1515
NOT_ISA = 1517
TWIRLED_FRACTIONAL = 1519
BROKEN_QASM = 1603
JOB_NOT_VALID = 3211
PAYLOAD_NOT_VALID = 3220
TOO_MANY_PENDING = 3458
TOO_MANY_SHOTS = 6000
NOT_SUPPORTED = 7001
DELAY_NOT_SUPPORTED = 8030
TOO_LONG = 8031
INTERNAL = 9999

REGISTRY: Mapping[int, Entry] = {
    1000: Entry("API Internal error.", _AGAIN, _ARCHIVE),
    INVALID: Entry("Error in the validation process of the job.", "Check the circuits and options of the job."),
    1003: Entry("Error in transpilation process.", "Check that the circuit is one that the backend supports."),
    BACKEND_UNAVAILABLE: Entry("The Backend is not available.", _OTHER_BACKEND),
    1005: Entry("Basis gates not available.", "Use another backend with basis gates."),
    1006: Entry("Error during call to converter microservice.", _AGAIN),
    1007: Entry("Backend not found.", "Check the name of the backend: list those that you have access to."),
    1008: Entry("Error during the validation process of a job.", _AGAIN),
    1009: Entry("Required backend information not found.", _OTHER_BACKEND),
    FAILED_AT_BACKEND: Entry("Error returned at backend level.", "Run the job again, or a smaller one."),
    1011: Entry("Error publishing job at the backend queue.", _AGAIN),
    1012: Entry("The user reached the maximum number of jobs running concurrently.", "Wait until jobs end.", _ARCHIVE),
    1102: Entry("The number of experiments is higher than the backend supports.", "Send several jobs.", _ARCHIVE),
    1103: Entry("The number of shots is higher than the backend supports.", "Use fewer shots.", _ARCHIVE),
    1109: Entry("The number of qubits is more than the backend supports.", "Use a larger backend.", _ARCHIVE),
    1200: Entry(
        "You are not authorized to perform this action.", "Check the token, the instance and your rights in it."
    ),
    1201: Entry("Invalid credentials.", "Check the credentials and send the request again."),
    TOO_MANY_REQUESTS: Entry(
        "Too many {} {} requests received: the limit is {} per {}.", "Lower the rate of requests and try again."
    ),
    TOO_MANY_TAGS: Entry("Exceeded the maximum number of tags a job can have ({} > {}).", "Remove some tags."),
    1205: Entry("Exceeded the maximum length of a job tag ({} > {}).", "Use shorter tags."),
    SESSION_CLOSED: Entry(
        "Session has been closed.",
        "Raise the max_time of the session if that is possible, or leave less time between its jobs.",
    ),
    RAN_TOO_LONG: Entry(
        "Job was cancelled because it ran too long.", "Raise max_execution_time, or run fewer circuits or shots."
    ),
    NO_SESSION_IN_PLAN: Entry(
        "You are not authorized to run a session when using the {} plan.",
        "Create an instance of a different plan type or use a different execution mode.",
    ),
    1500: Entry("Internal error.", _AGAIN, _ANSWERS),
    WRONG_WIDTH: Entry(
        "The number of qubits of the circuit ({}) does not match the number of qubits of an observable ({}).",
        "Apply the layout of the circuit to the observable.",
        _ANSWERS,
    ),
    FIRST_VERSION: Entry(
        "The V1 Primitives are not supported. Please use Primitives V2.", "Use SamplerV2 or EstimatorV2.", _ANSWERS
    ),
    NOT_ISA: Entry(
        "Circuits do not match the target definition (non-ISA circuits).",
        "Transpile the circuits for the target of the backend before you submit them.",
        _ANSWERS,
    ),
    TWIRLED_FRACTIONAL: Entry(
        "Gate twirling does not support fractional gates.",
        "Turn gate twirling off, or transpile the circuits for a backend without fractional gates.",
        _ANSWERS,
    ),
    BROKEN_QASM: Entry("Job not valid. Error loading QASM circuit: {}", "Mend the program.", _ANSWERS),
    JOB_NOT_VALID: Entry("Job not valid. {}", "Check the job that was sent.", _ANSWERS),
    3218: Entry("Number of Shots not allowed.", "Change the number of shots.", _ARCHIVE),
    PAYLOAD_NOT_VALID: Entry("Payload not valid.", "Change the body of the request.", _ARCHIVE),
    TOO_MANY_PENDING: Entry(
        "You have reached the limit of {} pending jobs. Please wait for a job to complete or cancel one before submitting "
        "anything new.",
        "Wait for a job to end, or cancel one.",
        _ANSWERS,
    ),
    4001: Entry("Job is part of a session that's been closed.", "Close a session when its jobs have run.", _ARCHIVE),
    5201: Entry("Job timed out after {} seconds.", "Make the job simpler, or use fewer shots.", _ARCHIVE),
    5203: Entry("Failed to run job.", "Run the job again.", _ARCHIVE),
    TOO_MANY_SHOTS: Entry("Too many shots given ({} > {}).", "Use fewer shots.", _ARCHIVE),
    7000: Entry(
        "Instruction not in basis gates: instruction: {}, qubits: {}, params: {}.", "Remove the instruction.", _ARCHIVE
    ),
    NOT_SUPPORTED: Entry(
        "Instruction {} is not supported.",
        "Remove the instruction that the message shows, or transpile the circuit for the backend.",
    ),
    DELAY_NOT_SUPPORTED: Entry("Repetition delay ({}) is not supported.", "Choose another delay.", _ARCHIVE),
    TOO_LONG: Entry("Submitted job is too long.", "Make the job shorter.", _ARCHIVE),
    INTERNAL: Entry("Internal error.", "Run the job again; if it fails again, the server's log says why.", _ARCHIVE),
}
