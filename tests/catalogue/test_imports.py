"""Devices that somebody describes, in every form that is known."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime

import pytest

from qumulus.catalogue import AddedCatalogue, CombinedCatalogue, Imports, SentDevice, SnapshotCatalogue, sketch
from qumulus.core.errors import InvalidRequest, TooLarge, UnknownDevice

SNAPSHOTS = SnapshotCatalogue()
LATTICE = {"name": "lattice", "topology": "grid 2x3", "two_qubit_error": 0.004, "calibrated": "2026-01-31"}


@pytest.fixture
def catalogue():
    added = SentDevice()  # it has room for one
    catalogue = CombinedCatalogue(AddedCatalogue(added), SNAPSHOTS)
    catalogue.imports = Imports(catalogue, added)
    return catalogue


def printed(name: str) -> tuple[dict, dict]:
    """What a client prints of a snapshot: with names and members of its own."""
    configuration = deepcopy(dict(SNAPSHOTS.configuration(name))) | {"backend_name": f"ibm_{name}", "local": False}
    properties = deepcopy(dict(SNAPSHOTS.calibration(name).properties)) | {"backend_name": f"ibm_{name}"}
    return json.loads(json.dumps(configuration)), json.loads(json.dumps(properties))


@pytest.mark.parametrize("name", ["fez", "brisbane", "nighthawk", "lima", "armonk", "boston"])
def test_what_a_client_prints_of_a_device_is_that_device(name, catalogue):
    configuration, properties = printed(name)
    (device,) = catalogue.imports.add([configuration, properties])
    real = SNAPSHOTS.device(name)
    assert device.name == name
    for member in ("n_qubits", "basis_gates", "instructions", "family", "calibrated_at", "two_qubit_error_layered"):
        assert getattr(device, member) == getattr(real, member)
    assert catalogue.device(name) is device
    assert [each.name for each in catalogue.devices()].count(name) == 1
    here, there = catalogue.calibration(name), SNAPSHOTS.calibration(name)
    assert here.at == there.at
    assert here.properties["qubits"] == there.properties["qubits"]
    ours, theirs = catalogue.configuration(name), SNAPSHOTS.configuration(name)
    for member in ("coupling_map", "supported_instructions", "timing_constraints", "dt", "processor_type", "coords"):
        assert ours[member] == theirs[member]


def test_both_documents_may_stand_in_one_and_the_name_may_be_another(catalogue):
    configuration, properties = printed("lima")
    (device,) = catalogue.imports.add([{"configuration": configuration, "properties": [properties]}], name="Lima-two")
    assert device.name == "lima-two"
    assert catalogue.calibration("lima-two").properties["backend_name"] == "lima-two"
    catalogue.imports.remove("LIMA-two")
    with pytest.raises(UnknownDevice):
        catalogue.device("lima-two")


def test_properties_alone_are_a_calibration_of_a_device_that_is_known(catalogue):
    _, properties = printed("lima")
    (device,) = catalogue.imports.add([properties | {"last_update_date": "2026-02-01T10:00:00+01:00"}])
    assert device.calibrated_at == datetime(2026, 2, 1, 9, tzinfo=UTC)
    assert catalogue.configuration("lima")["n_qubits"] == 5
    with pytest.raises(InvalidRequest, match="Nothing says what atlantis is"):
        catalogue.imports.add([properties | {"backend_name": "atlantis"}])


def test_several_calibrations_are_a_series_in_the_order_of_their_times(catalogue):
    configuration, properties = printed("lima")
    times = ["2026-03-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"]
    catalogue.imports.add([configuration, *(properties | {"last_update_date": at} for at in times)])
    assert catalogue.calibration("lima").at.month == 3
    between = catalogue.calibration("lima", before=datetime(2026, 2, 20, tzinfo=UTC))
    assert between.at.month == 2
    assert catalogue.calibration("lima", calibration_id=between.id) == between
    assert catalogue.calibration_id("lima") != between.id


def test_a_made_up_device_has_its_medians_everywhere(catalogue):
    (device,) = catalogue.imports.add([LATTICE])
    assert (device.name, device.n_qubits, device.basis_gates) == ("lattice", 6, ("cz", "id", "rz", "sx", "x"))
    assert device.two_qubit_error_best == pytest.approx(0.004)
    gates = {
        (gate["gate"], *gate["qubits"]): gate["parameters"]
        for gate in catalogue.calibration("lattice").properties["gates"]
    }
    assert {key[1:] for key in gates if key[0] == "cz"} >= {(0, 1), (1, 0), (0, 3), (2, 5)}
    assert [each["value"] for each in gates["cz", 1, 4]] == [0.004, 68.0]
    assert [each["value"] for each in gates["rz", 2]] == [0.0, 0.0]
    assert catalogue.configuration("lattice")["timing_constraints"]["granularity"] == 1


@pytest.mark.parametrize(
    ("topology", "n_qubits", "pairs"),
    [
        ("line 1", 1, 0),
        ("line 5", 5, 4),
        ("ring 5", 5, 5),
        ("full 5", 5, 10),
        ("grid 3x4", 12, 17),
        ("heavy-hex 8", 156, 176),
        ([[0, 1], [1, 2], [2, 0]], 3, 3),
    ],
)
def test_a_topology_has_its_qubits_and_pairs(topology, n_qubits, pairs):
    found, joined = sketch.topology(topology)
    assert (found, len({frozenset(pair) for pair in joined})) == (n_qubits, pairs)


def test_the_heavy_hexagon_is_that_of_a_heron():
    _, pairs = sketch.topology("heavy-hex 8")
    real = {frozenset(pair) for pair in SNAPSHOTS.configuration("fez")["coupling_map"]}
    assert {frozenset(pair) for pair in pairs} == real


def test_a_device_info_of_oqtopus_is_a_device(catalogue):
    info = {
        "device_id": "anemone",
        "qubits": [
            {
                "id": index,
                "fidelity": 0.999,
                "meas_error": {"prob_meas1_prep0": 0.01, "prob_meas0_prep1": 0.03, "readout_assignment_error": 0.02},
                "qubit_lifetime": {"t1": 40.0, "t2": 30.0},
                "gate_duration": {"rz": 0, "sx": 20, "x": 40},
            }
            for index in range(3)
        ],
        "couplings": [
            {"control": 0, "target": 1, "fidelity": 0.98, "gate_duration": {"rzx90": 200}},
            {"control": 1, "target": 2},
        ],
        "calibrated_at": "2026-01-31T12:00:00Z",
    }
    (device,) = catalogue.imports.add([info])
    assert (device.name, device.basis_gates) == ("anemone", ("id", "rz", "sx", "x", "cx"))
    properties = catalogue.calibration("anemone").properties
    assert {entry["name"]: (entry["value"], entry["unit"]) for entry in properties["qubits"][0]} == {
        "T1": (40.0, "us"),
        "T2": (30.0, "us"),
        "prob_meas1_prep0": (0.01, ""),
        "prob_meas0_prep1": (0.03, ""),
        "readout_error": (0.02, ""),
    }
    (pair, _) = [gate["parameters"] for gate in properties["gates"] if gate["gate"] == "cx"]
    assert [each["value"] for each in pair] == [pytest.approx(0.02), 200]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_qubits": 0}, "a device here has 1 to"),
        ({"n_qubits": 100_000}, "a device here has 1 to"),
        ({"n_qubits": True}, "n_qubits has to be a whole number"),
        ({"basis_gates": ["wobble"]}, "says nothing of the basis gate 'wobble'"),
        ({"coupling_map": [[0, 9]]}, "are no different qubits of a device that has 5"),
        ({"gates": [{"parameters": []}]}, "has no name"),
        ({"n_qubits": 4, "coupling_map": [[0, 1]], "gates": []}, "differ in the number of qubits"),
        ({"backend_name": "../../etc"}, "is no name of a device"),
        ({"dt": "soon"}, "configuration.dt has to be a number"),
        ({"supported_instructions": "x" * 10}, "has to be a list"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_with_a_sentence(change, sentence, catalogue):
    configuration, properties = printed("lima")
    with pytest.raises(InvalidRequest, match=sentence):
        catalogue.imports.add([configuration | change, properties | {"backend_name": None}])


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        ([{"surprise": 1}], "neither a configuration, nor properties"),
        ([{"topology": "moebius 4"}], "is no topology"),
        ([{"topology": "line 4"}], "what the device is called"),
        ([{"name": "a", "topology": "line 4", "colour": "red"}], "'colour' is no part of a description"),
        ([{"name": "a", "topology": "line 4", "readout_error": 1.5}], "between 0 and 1"),
        ([{"name": "a", "topology": "line 4", "t1_us": float("nan")}], "a number"),
        ([{"name": "a", "topology": "full 9999"}], "a device here has 1 to"),
        ([{"device_id": "a", "qubits": [{"id": 1}], "couplings": []}], "each qubit once, from 0 on"),
        (
            [{"configuration": {"configuration": {"configuration": {"configuration": {"configuration": {"a": 1}}}}}}],
            "neither|deep",
        ),
    ],
)
def test_a_description_that_cannot_be_is_refused_with_a_sentence(documents, sentence, catalogue):
    with pytest.raises(InvalidRequest, match=sentence):
        catalogue.imports.add(documents)


def test_a_device_has_no_more_calibrations_than_are_kept(catalogue):
    configuration, properties = printed("armonk")
    many = [properties | {"last_update_date": f"2026-01-01T00:00:00.{index:06}+00:00"} for index in range(1001)]
    with pytest.raises(TooLarge, match="more than 1000 calibrations"):
        catalogue.imports.add([configuration, *many])


def test_a_document_that_comes_often_counts_once(catalogue):
    (device,) = catalogue.imports.add([LATTICE] * 3)
    assert len(catalogue.imports.series(device.name)) == 1
