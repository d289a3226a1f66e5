"""Rows of plain gates, read beside the parser: the same tree, and errors in the same places."""

from __future__ import annotations

from random import Random

import openqasm3
import pytest

from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs import openqasm_blocks
from qumulus.simulation.programs.openqasm_blocks import LEAST, parse
from qumulus.simulation.programs.openqasm_text import read

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[4] q;\nbit[4] c;\n'
PLAIN = (
    "h q[0];",
    "  rz(1.5) q[1];",
    "rz( -pi/2 ) q [ 2 ] ;",
    "u3(0.5, 2e-3, pi) q[3];",
    "u3(.5, -2, 3/4.5) q[3];\t",
    "cx q[0], q[1];",
    "cp(1) q[1],q[2];",
)
OTHER = (
    "if (c[0]) {\n x q[1];\n}",
    "gate own(a) p {\n rz(a) p;\n}",
    "gphase(1.0);",
    "c[0] = measure q[0];",
    "x q;",
    "h q[0]; h q[1];",
    "reset q[0];",
    "barrier q[0], q[1];",
    "ctrl @ x q[0], q[1];",
    "rz(2*pi) q[0];",
    "/* x q[0];",
    "*/",
    "// x q[0];",
    "",
)


@pytest.mark.parametrize("seed", range(20))
def test_the_tree_is_the_parsers_own(seed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(openqasm_blocks, "LEAST", 2)
    random = Random(seed)
    lines = [
        line for _ in range(10) for line in (*random.choices(PLAIN, k=random.randrange(5)), random.choice(OTHER[:-4]))
    ]
    code = HEAD + "\n".join([*lines, "/* x q[0];", "x q[1]; */", "// x q[0];", "x q[0];", "c = measure q;"])
    bare = code.replace("/* x q[0];\nx q[1]; */", "          \n          ").replace("// x q[0];", "          ")
    found = parse(code, bare)
    assert found == openqasm3.parse(code)
    assert [each.span for each in found.statements] == [each.span for each in openqasm3.parse(code).statements]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("nothing q[0];", "column 1: gate 'nothing' is not defined"),
        ("x q[9];", "column 1: index out of range"),
        ("x r[0];", "column 3: Undefined symbol 'r'"),
        ("rz q[0];", "column 1: gate 'rz' takes 1 angle, not 0"),
        ("x q[0]", "is not expected here"),
        ("c = measure r;", "column 13: Undefined symbol 'r'"),
    ],
)
def test_a_mistake_is_told_where_it_stands(wrong: str, said: str):
    row = "x q[0];\n" * LEAST
    with pytest.raises(ProgramError, match=said) as error:
        read(f"{HEAD}{row}{wrong}\n{row}", most_qubits=10)
    assert error.value.message.startswith(f"Line {LEAST + 5 + ('expected' in said)}")


def test_a_long_program_is_read_whole():
    row = "".join(
        f"rz({number}.5) q[{number % 4}];\ncx q[{number % 4}], q[{(number + 1) % 4}];\n" for number in range(20_000)
    )
    circuit = read(f"{HEAD}{row}c = measure q;", most_qubits=10)
    assert circuit.count_ops() == {"rz": 20_000, "cx": 20_000, "measure": 4}
