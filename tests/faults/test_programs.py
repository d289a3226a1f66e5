"""Programs that want to hurt: what a worker decodes may abort it, never anything else."""

from __future__ import annotations

import base64
import io
import json
import random
import zlib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hosts import LONG
from qiskit import QuantumCircuit, qpy

from dispatchers import Cloud, MiB, wait_for
from qumulus.core.jobs import Job, JobState
from qumulus.core.programs import Limits
from qumulus.core.results import Failure

ENTRY = "qumulus.simulation.worker:run"
GiB = 1 << 30
MOST_MEMORY = 2 * GiB


@pytest.fixture
def cloud(start) -> Cloud:
    return start(ENTRY, workers=2, limits=Limits(seconds=60, memory_bytes=MOST_MEMORY))


def qpy_of(circuit: QuantumCircuit) -> bytes:
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    return buffer.getvalue()


def five_qubits() -> bytes:
    circuit = QuantumCircuit(5)
    for qubit in range(5):
        circuit.sx(qubit)
        circuit.rz(0.25 * qubit, qubit)
    circuit.measure_all()
    return qpy_of(circuit)


def submit(cloud: Cloud, compressed: bytes) -> str:
    """A sampler job whose circuit are these bytes."""
    circuit = {"__type__": "QuantumCircuit", "__value__": base64.b64encode(compressed).decode()}
    params = {"pubs": [[circuit, None, 10]], "version": 2, "support_qiskit": True}
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": params}
    return cloud.submit("runtime.sampler", json.dumps(body))


def fine(cloud: Cloud) -> Job:
    task = {"code": "OPENQASM 3; qubit[1] q; bit[1] c; x q[0]; c = measure q;", "device": "qulacs", "n_shots": 10}
    return cloud.end(cloud.submit("openqasm", json.dumps(task), device="qulacs", shots=10), 60)


def test_mutants_of_a_circuit_fail_alone_each_with_a_reason(cloud, measured):
    assert fine(cloud).state is JobState.SUCCEEDED
    whole, draw = five_qubits(), random.Random(14)
    mutants = []
    for _ in range(1500 if LONG else 120):
        mutant = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            mutant[draw.randrange(len(mutant))] = draw.randrange(256)
        mutants.append(bytes(mutant))
    ids = [submit(cloud, zlib.compress(mutant)) for mutant in mutants]
    done = [cloud.end(job_id, 300) for job_id in ids]
    for job in done:
        assert job.state in (JobState.SUCCEEDED, JobState.FAILED)
        assert job.state is JobState.SUCCEEDED or len(job.reason or "") > 20
        assert job.metadata.get("memory_bytes", 0) < GiB
        assert (job.run_seconds or 0) < 5 or not LONG  # the short form shares its machine
    failed = Counter(job.state for job in done)[JobState.FAILED]
    assert failed > len(ids) // 4
    assert fine(cloud).state is JobState.SUCCEEDED
    longest = max(job.run_seconds or 0 for job in done)
    measured(f"{failed:,} of {len(ids):,} failed, each with a reason, the longest after {longest:.1f} s")


def test_a_circuit_that_aborts_its_worker_fails_only_its_own_job(start, measured):
    """What Rust does when a mutant asks for gigabytes, without the luck of finding such a mutant."""
    cloud = start(workers=2)
    others = [cloud.submit("nap", "0.3") for _ in range(4)]
    failed = cloud.end(cloud.submit("abort"))
    assert (failed.state, failed.failure, failed.attempt) == (JobState.FAILED, Failure.CRASHED, 3)
    assert all(cloud.end(job_id).state is JobState.SUCCEEDED for job_id in others)
    measured("1 job")


def test_a_zlib_bomb_is_refused_in_its_worker(cloud, measured):
    fine(cloud)
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = head + block * 1023  # after a full flush a block can be said again
    assert len(bomb) < 2 << 20
    failed = cloud.end(submit(cloud, bomb), 60)
    assert failed.state is JobState.FAILED
    assert failed.failure in (Failure.PROGRAM, Failure.REFUSED, Failure.MEMORY)
    assert failed.attempt == 1
    assert failed.metadata["memory_bytes"] < GiB
    assert fine(cloud).state is JobState.SUCCEEDED
    measured(f"refused with {failed.metadata['memory_bytes'] / MiB:.0f} MiB of the bomb's 1024")


def random_circuit(qubits: int, layers: int) -> str:
    """The payload of a task that no method but the state vector can do, with one shot."""
    draw, code = random.Random(40), f'OPENQASM 3; include "stdgates.inc"; qubit[{qubits}] q; bit[{qubits}] c;'
    for _ in range(layers):
        code += "".join(f"rx({draw.random():.3f}) q[{n}];" for n in range(qubits))
        order = draw.sample(range(qubits), qubits)
        code += "".join(f"cx q[{a}], q[{b}];" for a, b in pairwise(order))
    code += "c[0] = measure q[0]; if (c[0]) { cx q[1], q[2]; } c = measure q;"  # no chain follows what was measured
    return json.dumps({"code": code, "device": "qulacs", "n_shots": 1})


def test_a_circuit_for_more_memory_than_there_is_is_refused_before_it_runs_with_the_figures(cloud, measured):
    fine(cloud)
    failed = cloud.end(cloud.submit("openqasm", random_circuit(40, 3), device="qulacs", shots=1), 60)
    assert failed.failure is Failure.REFUSED, failed
    assert failed.metadata["timings"]["simulated"] == 0
    assert any(f"{(16 << 40) / MiB:.3g} MiB" in line.text for line in cloud.storage.jobs.log(failed.id))
    assert failed.attempt == 1
    assert fine(cloud).state is JobState.SUCCEEDED
    measured(f"after {failed.metadata['timings']['simulated']} s of simulation")


def test_circuits_that_need_most_of_the_memory_run_one_after_the_other_and_others_beside_them(start):
    cloud = start(ENTRY, workers=4, limits=Limits(seconds=120, memory_bytes=MOST_MEMORY), memory_bytes=100 * MiB)
    task = random_circuit(22, 1)  # 64 MiB and a little
    large = [cloud.submit("openqasm", task, device="qulacs", shots=1) for _ in range(3)]
    wait_for(lambda: any(waited(cloud, job_id) for job_id in large), 60)
    assert fine(cloud).state is JobState.SUCCEEDED
    assert [cloud.end(job_id, 180).reason for job_id in large] == [None] * 3
    assert not all(waited(cloud, job_id) for job_id in large)


def waited(cloud: Cloud, job_id: str) -> bool:
    return any("waits until other runs" in line.text for line in cloud.storage.jobs.log(job_id))


def test_the_kernel_ends_workers_before_anything_else_when_memory_is_short(start, measured):
    cloud = start(workers=1)
    pid = cloud.end(cloud.submit("echo")).metadata["pid"]
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == 900
    server = int(Path(f"/proc/{cloud.dispatcher.fork_server_pid}/oom_score_adj").read_text())
    assert server < 900
    measured(f"900 > {server}")
