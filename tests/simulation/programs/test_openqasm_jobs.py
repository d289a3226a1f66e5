"""What a job's options do to its programs."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from qumulus.core.programs import Program
from qumulus.core.results import Outcome
from qumulus.payloads.zip_files import pack_json, unpack_json
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs import openqasm_jobs

BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
FLIPPED = "OPENQASM 3; qubit[2] q; bit[2] c; x q[1]; c = measure q;"
STATE = "OPENQASM 3; qubit[2] q; h q[0]; cnot q[0], q[1];"
OPERATOR = [
    {"pauli": "X 0 X 1", "coeff": 1.5},
    {"pauli": "Z0 Z1", "coeff": 1.0},
    {"pauli": "Y0 Y1", "coeff": -1},
    {"pauli": "I", "coeff": 0.25},
]
"""3.75 in the ideal state."""


def run(content: dict[str, Any], device: str = "lima", shots: int = 20_000, **options: Any) -> Outcome:
    program = Program(
        job_id="a job",
        kind=openqasm_jobs.__name__,
        payload=pack_json("input.json", content),
        device=device,
        shots=shots,
        seed=7,
        options=options,
    )
    return openqasm_jobs.run(program, lambda *_: None)


def content(outcome: Outcome, name: str = "result") -> Any:
    return unpack_json(outcome.files[f"{name}.zip"], most_bytes=1 << 20)


def placed(**options: Any) -> dict[str, Any]:
    transpiler = {"transpiler_lib": "qiskit", "transpiler_options": options}
    outcome = run({"program": [BELL]}, shots=10, transpiler_info=transpiler)
    return content(outcome, "transpile_result")


@pytest.mark.parametrize("layout", [[3, 4], [4, 3], [1, 2]])
def test_the_initial_layout_is_where_the_program_starts(layout: list[int]):
    mapping = placed(initial_layout=layout)["virtual_physical_mapping"]["qubit_mapping"]
    assert mapping == {"0": layout[0], "1": layout[1]}


@pytest.mark.parametrize(
    "options",
    [
        {"layout_method": "trivial", "optimization_level": 0},
        {"routing_method": "basic", "seed_transpiler": 3},
        {"translation_method": "synthesis", "approximation_degree": 0.9},
        {"optimization_level": 3, "initial_layout": None},
        {"basis_gates": ["sx", "x", "rz", "cx"], "optimization_level": 1},
        {"basis_gates": ["u", "cx", "measure"], "coupling_map": [[0, 1], [1, 2]]},
        {"scheduling_method": "alap", "qubits_initially_zero": False},
    ],
)
def test_the_options_of_the_transpiler_are_taken(options: dict[str, Any]):
    assert placed(**options)["stats"]["after"]["n_gates_2q"] == 1


@pytest.mark.parametrize("device", ["kawasaki", "torino", "qulacs"])
def test_gates_that_are_named_are_shown_and_what_runs_is_the_devices_own(device: str):
    options = {"basis_gates": ["sx", "x", "rz", "cx"], "optimization_level": 1}
    outcome = run({"program": [BELL]}, device, shots=200, transpiler_info={"transpiler_options": options})
    shown = content(outcome, "transpile_result")["transpiled_program"]
    assert "cx " in shown
    assert "ecr " not in shown
    assert "cz " not in shown
    counts = content(outcome)["sampling"]["counts"]
    assert counts["00"] + counts["11"] > 150


def test_connections_that_are_named_hold_on_the_ideal_simulator_too():
    program = "OPENQASM 3; qubit[3] q; bit[3] c; x q[0]; cx q[0], q[2]; c = measure q;"
    options = {"coupling_map": [[0, 1], [1, 2]], "layout_method": "trivial", "basis_gates": ["h", "x", "cx"]}
    outcome = run({"program": [program]}, "qulacs", shots=10, transpiler_info={"transpiler_options": options})
    assert content(outcome)["sampling"]["counts"] == {"101": 10}
    assert content(outcome, "transpile_result")["stats"]["after"]["n_gates_2q"] > 1
    few = {"program": ["OPENQASM 3; qubit[4] q; bit c; x q[3]; c = measure q[3];"]}
    with pytest.raises(ProgramError, match=r"has 4 qubits and transpiler_options\.coupling_map 3"):
        run(few, "qulacs", shots=10, transpiler_info={"transpiler_options": options})


@pytest.mark.parametrize("device", ["kawasaki", "torino", "nairobi"])
@pytest.mark.parametrize("pair", ["q[0], q[1]", "q[1], q[0]"])
def test_every_device_takes_cx_between_connected_qubits_untranspiled(device: str, pair: str):
    program = f"OPENQASM 3; qubit[2] q; bit[2] c; x q; cx {pair}; c = measure q;"
    outcome = run({"program": [program]}, device, shots=200, transpiler_info={"transpiler_lib": None})
    counts = content(outcome)["sampling"]["counts"]
    assert max(counts, key=counts.__getitem__) == ("01" if pair.startswith("q[0]") else "10")
    assert "transpile_result.zip" not in outcome.files
    apart = program.replace(f"cx {pair}", "cx q[0], q[2]").replace("[2] ", "[3] ")
    with pytest.raises(ProgramError, match="no 'cx' on qubit 0, qubit 2"):
        run({"program": [apart]}, device, shots=10, transpiler_info={"transpiler_lib": None})


def test_an_estimate_in_other_gates_is_that_of_the_same_qubits():
    options = {"basis_gates": ["sx", "x", "rz", "cx"], "initial_layout": [3, 4]}
    own = {"transpiler_options": {"initial_layout": [3, 4]}}
    found, expected = (estimated(shots=4000, transpiler_info=given) for given in ({"transpiler_options": options}, own))
    assert found["exp_value"] == pytest.approx(expected["exp_value"], abs=0.1)


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        ("X 0 Z 7", "names the qubit 7, and the program has the qubits 0 to 1"),
        ("X 0 Z 0", "names the qubit 0 twice"),
    ],
)
def test_what_is_wrong_with_a_pauli_string_is_named(operator: str, said: str):
    with pytest.raises(ProgramError, match=said):
        run({"program": [STATE], "operator": [{"pauli": operator, "coeff": 1.0}]}, "lima", job_type="estimation")


def test_the_program_with_a_mistake_among_several_is_named():
    with pytest.raises(ProgramError, match=r"^Program 1: Line 1, column 25: gate 'foo' is not defined\.$"):
        run({"program": [BELL, "OPENQASM 3; qubit[2] q; foo q[0];"]}, "lima", job_type="multi_manual")


def test_a_type_that_is_misspelt_is_named():
    with pytest.raises(ProgramError, match="Line 1, column 13: 'quit' is not declared: it is no type, and no gate"):
        run({"program": ["OPENQASM 3; quit[2] q; bit c; c = measure q[0];"]}, "lima")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimization_level": 4}, "optimization_level must be 0, 1, 2 or 3"),
        ({"optimization_level": True}, "optimization_level must be"),
        ({"initial_layout": [0, 0]}, "names a qubit twice"),
        ({"initial_layout": [0, 9]}, "0 to 4"),
        ({"initial_layout": {"0": 1}}, "a list of qubits"),
        ({"seed_transpiler": "x"}, "a whole number"),
        ({"routing_method": "magic"}, "one of basic, lookahead"),
        ({"approximation_degree": 2}, "from 0 to 1"),
        ({"magic": "x"}, "transpiler_options.magic is not known here: use optimization_level,"),
        ({"backend": "x"}, "transpiler_options.backend can't be given: the device's own is used"),
        ({"basis_gates": ["x"]}, "can't be transpiled with these transpiler_options: "),
        ({"basis_gates": []}, "basis_gates must be a list of names"),
        ({"basis_gates": ["sx", "foo"]}, "has 'foo', which is no gate"),
        ({"coupling_map": [[0, 0]]}, "a list of pairs of different qubits"),
        ({"coupling_map": [[0, 1, 2]]}, "a list of pairs"),
        ({"coupling_map": [[0, 4]]}, "has the pair 0, 4, which the device does not connect"),
    ],
)
def test_an_option_that_cannot_be_is_named(options: dict[str, Any], said: str):
    with pytest.raises(ProgramError, match=said):
        placed(**options)


def estimated(device: str = "lima", method: str | None = None, **options: Any) -> dict[str, float]:
    mitigation = {} if method is None else {"ro_error_mitigation": method}
    given = {"program": [STATE], "operator": OPERATOR}
    return content(run(given, device, job_type="estimation", mitigation_info=mitigation, **options))["estimation"]


def test_readout_mitigation_brings_an_estimate_nearer_to_the_ideal_value():
    raw = estimated()
    assert estimated(method="none") == raw
    for method in ("pseudo_inverse", "least_square"):
        mended = estimated(method=method)
        assert raw["exp_value"] + 10 * raw["stds"] < mended["exp_value"] < 3.75
        assert 0 < mended["stds"] < 0.05


def test_an_ideal_simulator_has_no_readout_to_mitigate():
    assert estimated("qulacs", "least_square") == {"exp_value": 3.75, "stds": 0.0}


def test_an_unknown_mitigation_of_an_estimate_is_named():
    with pytest.raises(ProgramError, match="magic"):
        estimated(method="magic")


def test_programs_on_one_chip_are_counted_together_and_each_by_itself():
    outcome = run({"program": [BELL, FLIPPED, BELL]}, "qulacs", job_type="multi_manual", shots=1000)
    sampling = content(outcome)["sampling"]
    assert {key[2:4] for key in sampling["counts"]} == {"10"}  # the middle program's bits stand in the middle
    assert sampling["divided_counts"]["1"] == {"10": 1000}
    for index in "02":
        assert set(sampling["divided_counts"][index]) == {"00", "11"}
        assert sum(sampling["divided_counts"][index].values()) == 1000
    assert content(outcome, "combined_program").startswith("OPENQASM 3")


def test_programs_on_one_chip_take_qubits_of_their_own_and_may_be_mitigated():
    options = {"job_type": "multi_manual", "mitigation_info": {"ro_error_mitigation": "pseudo_inverse"}}
    outcome = run({"program": [FLIPPED, FLIPPED]}, "lima", **options)
    mapping = content(outcome, "transpile_result")["virtual_physical_mapping"]["qubit_mapping"]
    assert len(set(mapping.values())) == 4
    for counts in content(outcome)["sampling"]["divided_counts"].values():
        assert counts["10"] > 19_500


@pytest.mark.parametrize("mitigation", ["none", "pseudo_inverse"])
@pytest.mark.parametrize("device", ["qulacs", "lima"])
def test_the_keys_of_counts_are_numbers_however_many_registers_a_program_has(device: str, mitigation: str):
    program = (
        "OPENQASM 3; qubit[3] q; bit[1] a; bit[2] b; bit[1] d; x q[0]; x q[2];"
        "a[0] = measure q[0]; b[0] = measure q[1]; b[1] = measure q[2];"
    )
    outcome = run({"program": [program]}, device, mitigation_info={"ro_error_mitigation": mitigation})
    counts = content(outcome)["sampling"]["counts"]
    assert max(counts, key=counts.__getitem__) == "0101"
    assert {len(key) for key in counts} == {4}
    assert all(int(key, 2) >= 0 for key in counts)


def test_of_several_programs_each_has_bits():
    with pytest.raises(ProgramError, match="Program 1 has no bits"):
        run({"program": [BELL, STATE]}, "qulacs", job_type="multi_manual")


@pytest.mark.parametrize(
    "coefficient", [inf, nan, -inf, 10**400, 1e308], ids=["inf", "nan", "-inf", "10**400", "1e308"]
)
def test_a_coefficient_that_is_no_finite_number_is_refused(coefficient: float):
    operator = [{"pauli": "Z0", "coeff": coefficient}, {"pauli": "X0", "coeff": 1e100}]
    with pytest.raises(ProgramError, match="finite numbers"):
        run({"program": [STATE], "operator": operator}, job_type="estimation")


@pytest.mark.parametrize("delay", ["100ns", "37.1us", "99999dt"])
def test_a_delay_may_have_any_length(delay: str):
    program = f"OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; delay[{delay}] q[0]; c = measure q;"
    transpiled = {"transpiler_lib": "qiskit", "transpiler_options": {"initial_layout": [0]}}
    ones = [
        content(run({"program": [program]}, "kawasaki", transpiler_info=each))["sampling"]["counts"]["1"] / 20_000
        for each in (transpiled, {"transpiler_lib": None})
    ]
    assert abs(ones[0] - ones[1]) < 0.02
