"""`device_info` of devices that are simulated here, against their calibrations and what OQTOPUS' clients make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from qumulus.apis.oqtopus.device_descriptions import described
from qumulus.catalogue import device_info
from qumulus.catalogue.catalogue import SnapshotCatalogue

CATALOGUE = SnapshotCatalogue()


def told(name: str) -> dict[str, Any]:
    return json.loads(described(CATALOGUE.device(name), CATALOGUE))


def test_figures_are_in_the_units_of_its_engine():
    calibration = CATALOGUE.calibration("lima").properties
    qubit = told("lima")["qubits"][0]
    known = {entry["name"]: (entry["value"], entry["unit"]) for entry in calibration["qubits"][0]}
    assert (pytest.approx(qubit["qubit_lifetime"]["t1"]), "us") == known["T1"]
    ((error, _), (length, unit)) = (
        (entry["value"], entry["unit"])
        for gate in calibration["gates"]
        if (gate["gate"], gate["qubits"]) == ("sx", [0])
        for entry in gate["parameters"]
    )
    assert (pytest.approx(qubit["gate_duration"]["sx"]), "ns") == (length, unit)
    assert qubit["fidelity"] == pytest.approx(1 - error)


@pytest.mark.parametrize("name", ["lima", "kawasaki", "qulacs"])
def test_every_qubit_has_a_place_of_its_own_and_a_fidelity(name: str):
    qubits = told(name)["qubits"]
    places = {(qubit["position"]["x"], qubit["position"]["y"]) for qubit in qubits}
    assert len(places) == len(qubits) == CATALOGUE.device(name).n_qubits
    assert all(0 < qubit["fidelity"] <= 1 for qubit in qubits)


class Odd(SnapshotCatalogue):
    """Devices with places that are none on a plane, or too few, as a document that was imported may have them."""

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        places = {"quito": [[0, 1, 2]] * 5, "belem": [[0, 1]] * 4, "jakarta": []}
        return {**super().configuration(device, fractional_gates=fractional_gates), "coords": places[device]}


@pytest.mark.parametrize("name", ["quito", "belem", "jakarta"])
def test_qubits_without_a_place_of_their_own_are_on_a_grid(name: str):
    devices = Odd()
    qubits = json.loads(described(devices.device(name), devices))["qubits"]
    assert len({tuple(qubit["position"].values()) for qubit in qubits}) == devices.device(name).n_qubits


def test_a_coupling_whose_calibration_failed_is_none():
    errors = [
        entry["value"]
        for gate in CATALOGUE.calibration("kawasaki").properties["gates"]
        for entry in gate["parameters"]
        if len(gate["qubits"]) == 2 and entry["name"] == "gate_error"
    ]
    couplings = told("kawasaki")["couplings"]
    assert 0 < len(couplings) == sum(error < 1 for error in errors) < len(errors)


def test_a_described_device_can_be_added_elsewhere_as_it_is():
    documents = device_info.documents(told("lima") | {"device_id": "another"})
    times = {entry["name"]: entry["value"] for entry in documents["properties"]["qubits"][0]}
    known = {entry["name"]: entry["value"] for entry in CATALOGUE.calibration("lima").properties["qubits"][0]}
    assert times["T1"] == pytest.approx(known["T1"])
