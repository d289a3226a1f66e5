"""A script for IBM Quantum as its author wrote it, with every version of the client, unedited."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from clients.environments import CLIENTS, environment
from clients.untouched.scripts import run_untouched
from commands.cli import qumulus
from qumulus.apis.ibm.instances import LOCAL_CRN
from servers import Server

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


ASK = """
from qiskit_ibm_runtime import QiskitRuntimeService
service = QiskitRuntimeService({arguments})
print(len(service.backends()) > 60, service.active_account()["instance"])
"""


@pytest.mark.parametrize("version", [VERSIONS[0], NEWEST])
def test_another_instance_ends_with_the_sentence_that_names_the_flag(tmp_path, version):
    # The CRN stands nowhere as a literal, so that nothing knows it beforehand.
    script = SCRIPT.replace(f'"{CRN}"', f'"crn:" + "{CRN[4:]}"')
    python = environment(version)
    refused = run_untouched(python, script, tmp_path)
    assert refused.status == 1
    assert refused.errors.rstrip().endswith(
        "qumulus: the instances here were local, test. If the command asked for another one, name it with --instance CRN-or-name."
    )
    assert run_untouched(python, script, tmp_path, "--instance", CRN).status == 0


@pytest.mark.parametrize("version", [VERSIONS[0], NEWEST])
def test_a_saved_account_of_the_person_is_enough(tmp_path, version):
    account = {"channel": "ibm_quantum_platform", "token": TOKEN, "instance": CRN, "url": "https://cloud.ibm.com"}
    folder = tmp_path / ".qiskit"
    folder.mkdir()
    (folder / "qiskit-ibm.json").write_text(json.dumps({"mine": account}))
    ended = run_untouched(environment(version), ASK.format(arguments='name="mine"'), tmp_path)
    assert (ended.status, ended.output) == (0, f"True {CRN}\n"), ended.errors
    assert ended.addresses == {"127.0.0.1"}


# Older ones ask for their token, or for their instances, past the proxy of the account.
@pytest.mark.parametrize("version", [name for name in VERSIONS if name >= "ibm-0.47"])
def test_an_account_that_is_saved_for_the_proxy_needs_no_variable(tmp_path, version):
    ready = tmp_path / "ready.json"
    with Server(tmp_path / "state", arguments=("--intercept-port", "0", "--ready-file", str(ready))) as server:
        proxy = json.loads(ready.read_text())["proxy"]
        saved = qumulus("account", "save", "--url", server.url, "--proxy", proxy, HOME=str(tmp_path))
        assert saved.returncode == 0, saved.stderr
        (tmp_path / "script.py").write_text(ASK.format(arguments='name="qumulus"'))
        own = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}  # nothing that would set other certificates
        told = subprocess.check_output(
            [environment(version), "script.py"], cwd=tmp_path, env=own, text=True, timeout=120
        )
    assert told == f"True {LOCAL_CRN}\n"


@pytest.mark.parametrize("version", [name for name in VERSIONS if name >= "ibm-0.49"])
def test_the_environment_alone_is_enough_for_newer_clients(tmp_path, version):
    with Server(tmp_path / "state") as server:
        printed = qumulus("env", "ibm", "--url", server.url, "--json").stdout
        own = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        (tmp_path / "script.py").write_text(ASK.format(arguments=""))
        told = subprocess.check_output(
            [environment(version), "script.py"], cwd=tmp_path, env=own | json.loads(printed), text=True, timeout=120
        )
    assert told == f"True {LOCAL_CRN}\n"
