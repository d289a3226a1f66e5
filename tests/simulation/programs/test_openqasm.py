"""OpenQASM programs as a worker runs them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qumulus.core.programs import Program
from qumulus.core.results import Failure, Outcome
from qumulus.simulation.worker import run

SEED_PROGRAM = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
STANDARD = 'OPENQASM 3; include "stdgates.inc"; '
DEEP = "".join(f"gate g{n} a {{ g{n - 1} a; }} " for n in range(1, 1000))


def outcome(code: str = SEED_PROGRAM, device: str = "kawasaki", shots: int = 2000, **task: Any) -> Outcome:
    payload = json.dumps({"code": code, **task}).encode()
    program = Program(job_id="a", kind="openqasm", payload=payload, device=device, shots=shots)
    return run(program, lambda *_: None)


def result(*arguments: Any, **task: Any) -> dict[str, Any]:
    ended = outcome(*arguments, **task)
    assert ended.succeeded, ended.reason
    return json.loads(ended.result)


def reason(*arguments: Any, **task: Any) -> str:
    ended = outcome(*arguments, **task)
    assert ended.failure is Failure.PROGRAM
    assert ended.reason is not None
    return ended.reason


def test_the_seeds_program_runs_as_printed_and_shows_the_devices_noise():
    counts = result(shots=20_000)["counts"]
    assert sum(counts.values()) == 20_000
    assert counts["00"] + counts["11"] > 17_000
    assert counts["01"] > 0
    assert counts["10"] > 0


def test_the_ideal_simulator_shows_no_noise():
    assert set(result(device="qulacs")["counts"]) == {"00", "11"}


def test_one_seed_fixes_the_counts_and_another_changes_them():
    first, again, other = (result(seed_simulation=seed)["counts"] for seed in (5, 5, 6))
    assert first == again != other


def test_a_gate_of_the_users_stays_the_users():
    own = "OPENQASM 3; gate cnot a, b { U(0, 0, 0) a; } qubit[2] q; bit[2] c; x q[0]; cnot q[0], q[1]; c = measure q;"
    assert result(own, device="qulacs")["counts"] == {"01": 2000}


def test_a_gate_of_the_users_with_a_devices_name_is_not_taken_for_the_devices():
    own = "OPENQASM 3; gate x a { U(0, 0, 0) a; } qubit[1] q; bit[1] c; x q[0]; c = measure q;"
    assert result(own, seed_simulation=1)["counts"]["0"] > 1800


def test_version_2_takes_included_standard_and_own_gates():
    included = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
    bare = "OPENQASM 2.0; qreg q[2]; creg c[2]; h q[0]; cnot q[0],q[1]; measure q -> c;"
    own = "OPENQASM 2.0; gate h a { U(0,0,0) a; } qreg q[1]; creg c[1]; h q[0]; measure q -> c;"
    assert set(result(included, device="qulacs")["counts"]) == {"00", "11"}
    assert set(result(bare, device="qulacs")["counts"]) == {"00", "11"}
    assert result(own, device="qulacs")["counts"] == {"0": 2000}


def test_what_was_transpiled_runs_again_untranspiled():
    first = result(seed_simulation=3)
    again = result(first["transpiled_code"], skip_transpilation=True, seed_simulation=3)
    assert again["counts"] == first["counts"]
    assert again["qubit_allocation"] == {"0": 0, "1": 1}


def test_an_allocation_is_kept_and_the_rest_is_placed_near():
    assert result(qubit_allocation={"0": 12, "1": 13})["qubit_allocation"] == {"0": 12, "1": 13}
    placed = result(qubit_allocation={"1": 20})["qubit_allocation"]
    assert placed["1"] == 20
    assert placed["0"] in (19, 21, 33)


@pytest.mark.parametrize(
    ("allocation", "said"),
    [
        ({"0": 500}, "the device has the qubits 0 to 126"),
        ({"7": 1}, "the program has the qubits 0 to 1"),
        ({"zero": 1}, "the program has the qubits 0 to 1"),
        ({"0": 1, "1": 1}, "a qubit of its own"),
    ],
)
def test_an_allocation_that_cannot_be_is_refused(allocation: dict[str, int], said: str):
    assert said in reason(qubit_allocation=allocation)


def test_an_untranspiled_program_must_fit_the_device():
    assert "has no 'h'" in reason(skip_transpilation=True)
    far = STANDARD + "gate ecr a, b { s a; sx b; cx a, b; x a; } bit[1] c; ecr $0, $9; c[0] = measure $0;"
    assert "on qubit 0, qubit 9" in reason(far, skip_transpilation=True)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "The program is empty"),
        ("OPENQASM 3; qubit[2] q;\n bit[2 c;", "Line 2, column 8: 'c' is not expected here."),
        ("OPENQASM 3; qubit[2] q; h q[0]", "the end of the program is not expected"),
        ("OPENQASM 3; qubit[2] q;\n  hh q[0];", "Line 2, column 3: gate 'hh' is not defined."),
        ("OPENQASM 3;\nqubit[2] q;\n  h r[0];", "Line 3, column 5: Undefined symbol 'r'."),
        ("OPENQASM 3;\n" + "h q[0]; " * 9 + "qubit[2] q;", "Line 2, column 3: Undefined symbol 'q'."),
        ("OPENQASM 3;\nqubit[2] q;\ncx q[0], r;", "Line 3, column 10: Undefined symbol 'r'."),
        ("OPENQASM 2.0;\nqreg q[2];\nhh q[0];", "Line 3, column 1: 'hh' is not defined in this scope."),
        (STANDARD + "qubit[2] q;\nh q[5];", "Line 2, column 1: index out of range."),
        (STANDARD + "qubit[2] q; rx q[0];", "gate 'rx' takes 1 angle, not 0."),
        (STANDARD + "qubit[2] q; cnot q[0], q[1];", "gate 'cnot' is not defined."),
        ("OPENQASM 3; qubit[1000 * 1000] q;", "1000000 qubits"),
        ("OPENQASM 3; bit[99999999999999999999] c;", "classical bits"),
        ("OPENQASM 2.0; qreg q[99999];", "99999 qubits"),
        ("OPENQASM 3; x $99999999999999;", "qubits"),
        ('OPENQASM 3; include "/etc/passwd";', "imports not currently supported"),
        ('OPENQASM 2.0; include "/etc/passwd";', "unable to find '/etc/passwd'"),
        ("OPENQASM 4.0; qubit q;", "OpenQASM 4 is not known here"),
        (f"OPENQASM 2.{'4' * 80}; qreg q[1];", "gives up over the program"),
        ("OPENQASM 3; qubit q; rx(" + "(" * 300 + "1" + ")" * 300 + ") q;", "nested more than 256 deep"),
        ("OPENQASM 3; qubit q; rx(" + "1+" * 5000 + "1) q;", "nested too deeply"),
        (
            "OPENQASM 2.0; gate g0 a { x a; } " + DEEP + "qreg q[1]; creg c[1]; g999 q[0]; measure q -> c;",
            "nested too deeply",
        ),
        ("OPENQASM 3; qubit q; bit c; rx(1e999) q; c = measure q;", "'rx' has the parameter inf"),
        ("OPENQASM 3; qubit q; bit c; rz(0 * 1e999) q; c = measure q;", "'rz' has the parameter nan"),
        ("OPENQASM 3; qubit q; bit c; if (c) { p(1e999) q; } c = measure q;", "'p' has the parameter inf"),
        ("OPENQASM 3; qubit q; \x00", "token recognition error"),
        ("OPENQASM 3; qubit q; h q;", "measures nothing"),
        ("OPENQASM 3; input float a; qubit q; bit c; rx(a) q; c = measure q;", "inputs without a value (a)"),
        ("OPENQASM 3; qubit[128] q; bit c; c = measure q[0];", "128 qubits and the device 127"),
        ("OPENQASM 2.0; opaque foo a; qreg q[1]; creg c[1]; foo q[0]; measure q -> c;", "nowhere defined"),
    ],
)
def test_a_wrong_program_fails_with_a_sentence(code: str, said: str):
    told = reason(code)
    assert said in told
    assert told.endswith(".")


@pytest.mark.parametrize("register", ["OPENQASM 3; qubit[1] q; bit[1] c;", "OPENQASM 2.0; qreg q[1]; creg c[1];"])
def test_gates_within_gates_are_counted_before_they_are_written_out(register: str):
    doubled = "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }} " for n in range(1, 40))
    header, rest = register.split(";", 1)
    code = f"{header}; gate g0 a {{ U(0,0,0) a; }} {doubled} {rest} g39 q[0]; "
    assert "written out" in reason(code + ("measure q -> c;" if "2.0" in header else "c = measure q;"))


def test_they_are_counted_before_any_gate_is_made():
    doubled = "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }} " for n in range(1, 40))
    told = reason(f"OPENQASM 3; gate g0 a {{ nonsense a; }} {doubled} qubit q; bit c; g39 q; c = measure q;")
    assert "written out" in told


def test_bits_declared_one_by_one_are_counted_together():
    code = "qubit q; bit a; bit b; x q; b = measure q;"
    assert result(code, device="qulacs")["counts"] == {"10": 2000}


@pytest.mark.parametrize("condition", ["c[0]", "c[0] == true", "c[0] == 1", "0 != c[0]", "c == 1"])
def test_a_condition_on_a_measurement_runs_on_the_noisy_device(condition):
    given = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0];"
    counts = result(f"{given} if ({condition}) {{ x q[1]; }} c[1] = measure q[1];")["counts"]
    assert counts["00"] + counts["11"] > 1600


def test_ten_million_shots_are_drawn():
    assert sum(result(shots=10_000_000)["counts"].values()) == 10_000_000
