"""What runs published pages: what is taken of them, how their end is judged, and one small notebook as a whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from published.outcomes import Ended, Outcome, judged
from published.pages import pages, read

BELL = """
from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2
backend = QiskitRuntimeService().backend("ibm_lima")
circuit = QuantumCircuit(1)
circuit.measure_all()
job = SamplerV2(backend).run([transpile(circuit, backend)], shots=10)
assert sum(job.result()[0].data.meas.get_counts().values()) == 10
"""


def notebook(path: Path, *cells: str, markdown: str = "") -> Path:
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": [markdown]}, *code]}))
    return path


def test_the_code_cells_of_a_notebook_are_taken_in_order_without_what_is_the_notebooks_own(tmp_path):
    page = read(notebook(tmp_path / "a.ipynb", "%matplotlib inline\nx = 1", "!pip install y", "%%bash\nls", "print(x)"))
    assert page.code.splitlines()[0] == "# %matplotlib inline"
    assert "# !pip install y" in page.code
    assert "ls" not in page.code
    compile(page.code, "page", "exec")


def test_a_page_has_its_fenced_programs_and_names_its_client(tmp_path):
    (tmp_path / "a.mdx").write_text(
        "qiskit-ibm-runtime~=0.47.0\n```python\nx = 1\n```\n```json\n{}\n```\n```py\ny = x\n```\n"
    )
    (tmp_path / "empty.md").write_text("nothing")
    (page,) = pages(tmp_path)
    assert page.code.split() == ["x", "=", "1", "y", "=", "x"]
    assert page.client == "0.47"


def test_a_page_says_what_it_leaves_to_its_reader(tmp_path):
    (tmp_path / "a.md").write_text(
        "```python\nauth, crn, less = \"Bearer <YOUR_TOKEN>\", '<SERVICE-CRN>', 1 < 2\n```\n"
    )
    assert read(tmp_path / "a.md").placeholders == ("<YOUR_TOKEN>", "<SERVICE-CRN>")


def test_of_a_page_only_the_pieces_that_go_on_from_those_before_are_its_program(tmp_path):
    shown = (
        "a = 1",
        "b = service.backend()",
        "def f():\n    return later",
        "result = {...",
        "later = [a for a in (a,)]",
    )
    (tmp_path / "a.mdx").write_text("".join(f"```python\n{piece}\n```\n" for piece in shown))
    page = read(tmp_path / "a.mdx")
    assert "service" not in page.code
    assert "result" not in page.code
    assert [piece for piece in shown if piece in page.code] == [shown[0], shown[2], shown[4]]


@pytest.mark.parametrize(
    ("ended", "outcome", "why"),
    [
        (Ended(0, ""), Outcome.WHOLE, ""),
        (Ended(0, "", (), ("light cones",)), Outcome.APPROXIMATED, "light cones"),
        (Ended(None, "", (), (), 120), Outcome.SLOW, "120 s"),
        (Ended(1, "ModuleNotFoundError: No module named 'pyscf'"), Outcome.NEEDS, "the package pyscf"),
        (Ended(1, "Details: q-ctrl/x is a program of its vendor and"), Outcome.NEEDS, "q-ctrl/x"),
        (
            Ended(1, "qumulus: the command asked for a.org, which is no quantum cloud that"),
            Outcome.NEEDS,
            "network: a.org",
        ),
        (Ended(1, "Details: Qiskit Function [hello-qiskit] doesn't exist: "), Outcome.NEEDS, "hello-qiskit"),
        (Ended(1, "AttributeError: 'ServerlessClient' object has no attribute 'widget'"), Outcome.NEEDS, "widget"),
        (Ended(1, "The instance specified (CRN) is not a valid instance name."), Outcome.NEEDS, "an instance"),
        (Ended(1, "Exception: Entrypoint file [a.py] does not exist in [./]"), Outcome.NEEDS, "a file beside it, a.py"),
        (Ended(1, "ValueError: 'channel' can only be 'ibm_cloud'"), Outcome.NEEDS, "a channel"),
        (Ended(1, "KeyError: 'id'", ("<BACKEND_NAME>",)), Outcome.NEEDS, "the reader fills in, <BACKEND_NAME>"),
        (Ended(0, "", ("<BACKEND_NAME>",)), Outcome.WHOLE, ""),
        (Ended(1, "Traceback\nValueError: 1002"), Outcome.FAILS, "ValueError: 1002"),
    ],
)
def test_an_end_is_judged_by_what_it_says(ended, outcome, why):
    found, told = judged(ended)
    assert found is outcome
    assert why in told


def run_folder(folder: Path, seconds: int) -> str:
    """Run the pages of a folder, each for so long at most; the table."""
    variables = {"PUBLISHED": str(folder), "PUBLISHED_PYTHON": sys.executable, "PUBLISHED_SECONDS": str(seconds)}
    done = subprocess.run(
        [sys.executable, "-m", "published"],
        cwd=Path(__file__).parents[1],
        env=os.environ | {f"QUMULUS_{name}": value for name, value in variables.items()},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_folder_of_notebooks_is_run_and_the_table_says_what_became_of_each(tmp_path):
    notebook(tmp_path / "bell.ipynb", BELL)
    notebook(tmp_path / "lacking.ipynb", "import no_such_package")
    told = run_folder(tmp_path, 100)
    assert "2 pages: 1 whole, 1 needs." in told, told
    assert "| lacking.ipynb | needs | the package no_such_package |" in told


def test_a_page_that_does_not_end_is_too_slow(tmp_path):
    notebook(tmp_path / "long.ipynb", "import time; time.sleep(100)")
    told = run_folder(tmp_path, 1)
    assert "1 pages: 1 too slow." in told, told
