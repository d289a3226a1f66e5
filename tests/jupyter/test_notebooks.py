"""`%qumulus` in a real kernel, and what it shows of jobs, whatever they are called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from qumulus.jupyter import Misused, Notebook, settings
from qumulus.jupyter.results import Value, counts, values
from qumulus.jupyter.views import DeviceView, JobsView, JobView, bars
from qumulus.openapi.jobs import REPOSITORY

CELLS = (
    "%load_ext qumulus.jupyter",
    "import os; os.environ['OQTOPUS_URL'] = 'https://elsewhere'",
    "%qumulus start --seed 7 --fleet perth,kawasaki",
    """import json, time, urllib.request
url = os.environ["OQTOPUS_URL"]
code = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
task = {"code": code, "device": "Kawasaki", "n_shots": 100}
request = urllib.request.Request(url + "/task", json.dumps(task).encode(), {"Content-Type": "application/json"})
job = json.load(urllib.request.urlopen(request))["task_id"]
while json.load(urllib.request.urlopen(f"{url}/task/{job}/status"))["status"] != "COMPLETED":
    time.sleep(0.05)""",
    "%qumulus job $job",
    "shown = %qumulus job $job\nprint(shown.state, sum(shown.counts.values()))",
    "%qumulus jobs",
    "%qumulus device perth",
    "%qumulus status",
    "%qumulus stop",
    "print(os.environ['OQTOPUS_URL'], 'QUMULUS_URL' in os.environ)",
)


def ran(cells: tuple[str, ...], folder: Path) -> list[nbformat.NotebookNode]:
    """The cells, after a kernel has run them."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook.cells


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """Kernels keep their files here, and have the interpreter of the tests."""
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    command = [sys.executable, "-m", "ipykernel", "install", "--prefix", str(tmp_path / "kernels")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "kernels" / "share" / "jupyter"))
    return tmp_path


def shown(cell: nbformat.NotebookNode, kind: str = "text/html") -> str:
    return cell.outputs[0].data[kind]


def test_a_notebook_starts_a_cloud_of_its_own_and_shows_what_ran(kernels):
    cells = ran(CELLS, kernels)
    started, job, printed, jobs, device, status, left = (cells[number] for number in (2, 4, 5, 6, 7, 8, 10))
    assert "no jobs yet" in shown(started)
    assert "a cloud of this kernel" in shown(started, "text/plain")
    assert ">succeeded</b>" in shown(job)
    assert "100 shots" in shown(job)
    assert "dense" in shown(job)
    assert printed.outputs[0].text == "succeeded 100\n"
    assert "<td>oqtopus/" in shown(jobs)
    assert shown(device).count("<circle") == 7
    assert "1 jobs, 0 of them not ended" in shown(status)
    assert left.outputs[0].text == "https://elsewhere False\n"


def test_a_line_that_is_none_says_what_to_write(kernels):
    with pytest.raises(CellExecutionError, match=r"Write one of these:\n.*%qumulus start"):
        ran(("%load_ext qumulus.jupyter", "%qumulus begin"), kernels)


def test_without_a_cloud_nothing_is_shown():
    with pytest.raises(Misused, match="write %qumulus start"):
        Notebook().line("jobs")


def test_flags_are_settings():
    assert settings(["--seed", "7", "--strict-simulation", "--noise=twin"]) == {
        "seed": "7",
        "strict_simulation": "true",
        "noise": "twin",
    }
    with pytest.raises(Misused, match="'7' belongs to no flag"):
        settings(["7"])


JOB = {"id": "<b>", "device": "<i>", "state": "failed", "api": "<u>", "created_at": None, "reason": "<script>"}


def test_what_comes_from_the_cloud_is_text():
    for view in (JobView(JOB, {"counts": {"<img>": 1}}), JobsView([JOB])):
        html = view._repr_html_()
        assert not any(tag in html for tag in ("<i>", "<u>", "<script>", "<img>"))
    device = {"name": "<b>x", "n_qubits": 1, "basis_gates": ["<i>"], "description": ""}
    assert "<i>" not in DeviceView(device, {})._repr_html_()


def test_many_outcomes_are_shortened():
    assert "4 more outcomes" in bars({f"{number:05b}": number + 1 for number in range(20)})


ENCODED = """
import json, sys, numpy
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult
from qiskit_ibm_runtime.json import RuntimeEncoder
bits = BitArray.from_samples(["1", "101", "101"], num_bits=9)
pubs = [SamplerPubResult(DataBin(meas=bits)), PubResult(DataBin(evs=numpy.array([0.5, -1.0]), stds=numpy.array([0.1, 0.0])))]
json.dump(PrimitiveResult(pubs), sys.stdout, cls=RuntimeEncoder)
"""


def test_results_of_ibm_are_read_as_its_client_writes_them():
    import json

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ENCODED], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert counts(result) == {"000000001": 1, "000000101": 2}
    assert values(result) == [Value(0.5, 0.1), Value(-1.0, 0.0)]
    assert counts({"something": "else"}) is None


def test_the_extension_imports_the_standard_library_alone():
    script = "import sys; sys.modules['IPython'] = None; import qumulus.jupyter; print([m for m in ('pydantic', 'numpy', 'httpx2') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "backend")},
    )
    assert done.stdout == "[]\n"
