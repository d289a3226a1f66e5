"""Reads mutated programs, from a seed: each is read, or refused in a sentence. A process of its own, which an abort may end.

python fuzzing.py SEED COUNT
"""

from __future__ import annotations

import json
import random
import sys

from qumulus.simulation.errors import ProgramError
from qumulus.simulation.length import steps
from qumulus.simulation.programs import openqasm_text

SEEDS = [
    'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;',
    'OPENQASM 2.0; include "qelib1.inc"; gate g(a) x { rx(a/2) x; } qreg q[2]; creg c[2]; g(pi) q[0]; if (c==1) x q[1]; measure q -> c;',
    "OPENQASM 3.0; int[8] n = 3; bit[1] c; for int i in [0:2] { rz(0.5*i) $0; } if (c[0] == 1) { sx $0; } else { x $0; } c[0] = measure $0; while (c[0]) { x $0; c[0] = measure $0; }",
    "OPENQASM 3; gate g(a, b) x, y { ctrl @ rz(a) x, y; inv @ u3(a, b, 1e3) y; } qubit[3] q; g(1, 2) q[0], q[2]; barrier q; reset q[1]; delay[20ns] q[0];",
]
WORDS = [
    "qubit",
    "bit",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ";",
    "gate",
    "def",
    "for",
    "in",
    "while",
    "if",
    "else",
    "measure",
    "->",
    "=",
    "==",
    "ctrl @",
    "pow(-1) @",
    "inv @",
    "$0",
    "$99999999999",
    "1e999",
    "0x",
    "9" * 400,
    "\0",
    "é",
    "\ud800",
    "π",
    "/*",
    "//",
    '"',
    "include",
    "box",
    "stretch",
    "duration",
    "input",
    "const",
    "[0:1e9]",
    "**",
    "%",
    "<<",
    "~",
    "-",
    "angle[0]",
    "uint[-1]",
    "switch",
    "case",
    "default",
    "return",
    "extern",
    "let",
    "end",
    "defcal",
    "cal {",
    "#pragma",
    "@x",
]


def mutant(rng: random.Random) -> str:
    """A program of the corpus with up to three changes: a word put in, letters left out, a piece moved, a letter changed."""
    text = rng.choice(SEEDS)
    for _ in range(rng.randint(0, 3)):
        at, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        text = rng.choice(
            (
                text[:at] + rng.choice(WORDS) + text[at:],
                text[:at] + text[at + rng.randint(1, 8) :],
                text[:at] + text[min(at, other) : max(at, other)] + text[at:],
                text[:at] + chr(rng.randrange(32, 127)) + text[at + 1 :],
            )
        )
    return text


def main(seed: int, count: int) -> None:
    """Print how many were read and refused, and each that had another end."""
    rng = random.Random(seed)
    told = {"read": 0, "refused": 0, "others": []}
    for _ in range(count):
        text = mutant(rng)
        try:
            steps(openqasm_text.read(text, most_qubits=100, inputs=True))
            told["read"] += 1
        except ProgramError:
            told["refused"] += 1
        except BaseException as error:
            told["others"].append([text, repr(error)])
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
