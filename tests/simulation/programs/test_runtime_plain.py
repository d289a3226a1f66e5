"""Results in pure JSON, as the service's REST API gives them to whoever does not ask for Qiskit's encoding."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import pytest
from qiskit import qasm3, qpy
from qiskit.circuit import Parameter, QuantumCircuit

from qumulus.simulation.devices import device_model
from simulation.circuits import bell, isa

from .runtime import job, run

BRISBANE = device_model("brisbane")


def qasm(circuit: QuantumCircuit) -> str:
    return qasm3.dumps(isa(circuit, BRISBANE))


def plain(kind: str, params: dict[str, Any]) -> Any:
    outcome = run(job(params, kind=kind))
    assert outcome.succeeded, outcome.reason
    return json.loads(outcome.result, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@pytest.mark.parametrize("asked", [{}, {"support_qiskit": False}, {"support_qiskit": None}])
def test_samples_are_hexadecimal_numbers_unless_qiskits_encoding_is_asked_for(asked) -> None:
    found = plain("sampler", {"pubs": [[qasm(bell()), None, 500]], **asked})
    data = found["results"][0]["data"]["meas"]
    assert data["num_bits"] == 2
    assert len(data["samples"]) == 500
    assert set(data["samples"]) <= {"0x0", "0x1", "0x2", "0x3"}
    assert data["samples"].count("0x0") + data["samples"].count("0x3") > 400
    assert "__type__" not in json.dumps(found)


def test_samples_of_many_bits_have_the_first_bit_last() -> None:
    circuit = QuantumCircuit(12)
    circuit.x(9)
    circuit.measure_all()
    samples = plain("sampler", {"pubs": [[qasm(circuit), None, 200]]})["results"][0]["data"]["meas"]["samples"]
    assert max(set(samples), key=samples.count) == hex(1 << 9)


def test_samples_of_several_sets_of_values_are_nested_as_the_sets_are() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("angle"), 0)
    circuit.measure_all()
    found = plain("sampler", {"pubs": [[qasm(circuit), [[0.0], [3.14159]], 100]]})
    low, high = found["results"][0]["data"]["meas"]["samples"]
    assert low.count("0x0") > 80
    assert high.count("0x1") > 80


def test_the_shots_of_the_job_are_those_of_pubs_that_name_none() -> None:
    found = plain("sampler", {"pubs": [[qasm(bell())], [qasm(bell()), None, 7]], "shots": 33})
    assert [len(each["data"]["meas"]["samples"]) for each in found["results"]] == [33, 7]


def test_shots_of_the_job_that_are_no_positive_number_fail_it() -> None:
    outcome = run(job({"pubs": [[qasm(bell())]], "shots": 0}, kind="sampler"))
    assert "asks for 0 shots" in outcome.reason


def test_an_expectation_value_is_a_number_with_its_error() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    found = plain("estimator", {"pubs": [[qasm(circuit), "Z"]]})
    data = found["results"][0]["data"]
    assert -1.1 < data["evs"] < -0.8
    assert 0 < data["stds"] < 0.1
    assert "__type__" not in json.dumps(found)


def test_expectation_values_of_several_observables_are_a_list() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    evs = plain("estimator", {"pubs": [[qasm(circuit), ["Z", "X"]]]})["results"][0]["data"]["evs"]
    assert len(evs) == 2


def test_the_precision_of_the_job_is_that_of_pubs_that_name_none() -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    found = plain("estimator", {"pubs": [[qasm(circuit), "Z"], [qasm(circuit), "Z", None, 0.05]], "precision": 0.1})
    assert [each["metadata"]["target_precision"] for each in found["results"]] == [0.1, 0.05]


def test_learned_layers_are_readable() -> None:
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    file = io.BytesIO()
    qpy.dump(isa(circuit, BRISBANE), file, version=16)
    packed = base64.b64encode(zlib.compress(file.getvalue())).decode()
    params = {"circuits": [{"__type__": "QuantumCircuit", "__value__": packed}], "options": {}}
    found = plain("noise-learner", params)
    (layer,) = found["data"]
    assert len(layer["error"]["generators"]["data"]) == len(layer["error"]["rates"])
    assert layer["circuit"].startswith("OPENQASM 3")
    assert "__type__" not in json.dumps(found)
