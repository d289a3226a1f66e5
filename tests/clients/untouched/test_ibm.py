"""A script for IBM Quantum as its author wrote it, with every version of the client, unedited."""

from __future__ import annotations

import pytest

from clients.environments import CLIENTS, environment
from clients.untouched.scripts import run_untouched

VERSIONS = sorted((name for name in CLIENTS if name.startswith("ibm-")), key=lambda name: CLIENTS[name]["requires"][0])
NEWEST = VERSIONS[-1]
TOKEN = "a-made-up-token-that-nobody-knows"
CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e:0ddba11c-0ff5-4e1f-8a5e-c0ffee123456::"

SCRIPT = f"""
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

service = QiskitRuntimeService(
    channel="ibm_quantum_platform",
    token="{TOKEN}",
    instance="{CRN}",
)
backend = service.least_busy(min_num_qubits=5, operational=True)
assert backend.num_qubits >= 5
backend = service.backend("ibm_perth")
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
bell.measure_all()
isa = generate_preset_pass_manager(backend=backend, optimization_level=1).run(bell)
job = SamplerV2(mode=backend).run([isa], shots=1000)
counts = job.result()[0].data.meas.get_counts()
assert sum(counts.values()) == 1000, counts
assert counts["00"] + counts["11"] > 800, counts
assert job.job_id() in [each.job_id() for each in service.jobs(limit=5)]
print("done", job.status())
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_script_with_a_made_up_token_and_an_instance_that_no_setting_knows_runs_here(tmp_path, version):
    ended = run_untouched(environment(version), SCRIPT, tmp_path)
    assert ended.status == 0, ended.errors
    assert ended.output.startswith("done ")
    assert ended.output.rstrip().endswith("DONE")
    assert ended.addresses == {"127.0.0.1"}
