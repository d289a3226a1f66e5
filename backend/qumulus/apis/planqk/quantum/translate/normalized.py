"""Inputs and results of any backend in one form: circuits as OpenQASM, and what was measured with the last bit first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from qumulus.apis.given import said
from qumulus.apis.planqk.quantum.known import Known, backend
from qumulus.apis.planqk.quantum.schemas import normalized as wire
from qumulus.core.errors import InvalidRequest
from qumulus.core.jobs import Job, JobState

from . import arrays
from .jobs import failure, sent

KEYS = "bitstring"
SEVERAL_SETS = "It has results of several parameter sets, or of none."
NOT_MEASURED = "It has no measurement results."
DIALECTS = {
    "OPEN_QASM_V2": wire.Dialect.OPENQASM_V2,
    "BRAKET_OPEN_QASM_V3": wire.Dialect.OPENQASM_V3,
}


class NotRenderable(InvalidRequest):
    """An input that can't be written as OpenQASM."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"The input of job {job_id} can't be written as OpenQASM: ask for the input as it was sent.")


def normalized_input(job: Job, payload: bytes) -> wire.Input:
    """The circuits of a job.

    Raises:
        NotRenderable
    """
    captured = job.request.get("qasm")
    if captured is not None:
        dialect = next((each for each in wire.Dialect if each == captured.get("format")), None)
        programs = list(_captured(captured))
    else:
        dialect = DIALECTS.get(backend(job.request["backend"]).format.name)
        programs = [(text, job.name) for text in _texts(sent(job, payload))]
    if dialect is None or not programs:
        raise NotRenderable(job.id)
    pubs = [wire.InputPub(name=said(name), qasm=text, shots=said(job.shots)) for text, name in programs]
    return wire.Input(format=dialect, pubs=pubs)


def _captured(qasm: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The circuits that the client has sent beside the input, and their names."""
    programs = qasm.get("programs")
    for each in programs if isinstance(programs, list) else ():
        if isinstance(each, dict) and isinstance(text := each.get("qasm"), str):
            yield text, name if isinstance(name := each.get("name"), str) else None


def _texts(given: Any) -> Sequence[str]:
    several = given.get("qasm") if isinstance(given, dict) else given
    texts = several if isinstance(several, list) else [several]
    return texts if all(isinstance(text, str) for text in texts) else []


def result(job: Job, stored: bytes | None) -> wire.Result | None:
    """What a job that has ended has measured; None where that was nothing."""
    if job.state is not JobState.SUCCEEDED or stored is None:
        return wire.Result(pubs=[wire.ResultPub(type=wire.Kind.ERROR, error=dict(failure(job)["error"]))])
    known = backend(job.request["backend"])
    told = json.loads(stored)
    read = _simulated(known) if known.simulator else _pub
    each = told["circuits"] if known.simulator else _pubs(told)
    pubs = [read(index, one) for index, one in enumerate(each)]
    named = [pub.model_copy(update={} if job.name is None else {"name": job.name}) for pub in pubs]
    return wire.Result(pubs=named) if any(pub.type is not wire.Kind.UNMAPPED for pub in pubs) else None


def memory(job: Job, stored: bytes) -> wire.Memory | None:
    """Every shot of a job of one circuit; None where its backend tells counts alone."""
    known = backend(job.request["backend"])
    told = json.loads(stored)
    if known.simulator:
        if known.provider != "AWS" or len(told["circuits"]) != 1:
            return None
        counts: Mapping[str, int] = told["circuits"][0]["counts"]
        shots = [bits.replace(" ", "") for bits, count in counts.items() for _ in range(count)]
    else:
        pubs = _pubs(told)
        shots = list(arrays.shots(pubs[0]) or ()) if len(pubs) == 1 else []
    if not shots:
        return None
    return wire.Memory(memory=[hex(int(bits, 2)) for bits in shots], qubits=len(shots[0]), shots=len(shots))


def _simulated(known: Known) -> Callable[[int, Mapping[str, Any]], wire.ResultPub]:
    def read(index: int, circuit: Mapping[str, Any]) -> wire.ResultPub:
        if "counts" not in circuit:
            return wire.ResultPub(type=wire.Kind.UNMAPPED, index=index, reason=NOT_MEASURED)
        counts = {bits.replace(" ", ""): count for bits, count in circuit["counts"].items()}
        shots, width = sum(counts.values()), len(next(iter(counts), ""))
        if known.provider == "AZURE":  # tells probabilities alone
            shares = {bits: count / shots for bits, count in counts.items()}
            return wire.ResultPub(
                type=wire.Kind.PROBABILITIES, index=index, key_format=KEYS, probabilities=shares, qubits=width
            )
        return _counts(index, counts)

    return read


def _counts(index: int, counts: dict[str, int]) -> wire.ResultPub:
    width = len(next(iter(counts), ""))
    return wire.ResultPub(
        type=wire.Kind.COUNTS, index=index, key_format=KEYS, counts=counts, shots=sum(counts.values()), qubits=width
    )


def _pubs(told: Any) -> Sequence[Mapping[str, Any]]:
    """The entries of a result of IBM's primitives, in the form that Python's client reads or in that of the REST API."""
    inner = told.get("__value__", told) if isinstance(told, dict) else {}
    entries = inner.get("pub_results") or inner.get("results") or []
    return [entry.get("__value__", entry) for entry in entries]


def _pub(index: int, pub: Mapping[str, Any]) -> wire.ResultPub:
    values, deviations = arrays.numbers(pub, "evs"), arrays.numbers(pub, "stds")
    if values is not None and deviations is not None:
        return wire.ResultPub(
            type=wire.Kind.EXPECTATION_VALUES,
            index=index,
            shape=values.shape,
            values=values.flat,
            stds=deviations.flat,
        )
    shots = arrays.shots(pub)
    if not shots:
        return wire.ResultPub(type=wire.Kind.UNMAPPED, index=index, reason=SEVERAL_SETS)
    counts: dict[str, int] = {}
    for bits in shots:
        counts[bits] = counts.get(bits, 0) + 1
    return _counts(index, counts)
