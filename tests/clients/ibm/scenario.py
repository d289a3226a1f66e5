"""What a user of Qiskit Runtime does, step by step, with whatever version of the client this python has.

Run with the version's own python; needs nothing but the client. Prints one JSON line a step: its name, how it ended, and why.
How the service is found stands in the environment: QUMULUS_SCENARIO_SERVICE holds the constructor's arguments as JSON. The devices
named in QUMULUS_SCENARIO_WAITING and …_RUNNING let a job be seen waiting and running.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
import json
import os
import sys
import time
import traceback
import warnings

CONNECTED = set()


def audit(event, arguments):
    """Remember every address that a socket is connected to."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        CONNECTED.add(arguments[1][0])


sys.addaudithook(audit)
warnings.filterwarnings("ignore")

import logging  # noqa: E402

logging.disable(logging.WARNING)

import numpy as np  # noqa: E402
import qiskit_ibm_runtime  # noqa: E402
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile  # noqa: E402
from qiskit.circuit import Parameter  # noqa: E402
from qiskit.quantum_info import SparsePauliOp  # noqa: E402
from qiskit_ibm_runtime import Batch, EstimatorV2, QiskitRuntimeService, SamplerV2, Session  # noqa: E402

ARGUMENTS = json.loads(os.environ.get("QUMULUS_SCENARIO_SERVICE", "{}"))
WAITING, RUNNING = os.environ["QUMULUS_SCENARIO_WAITING"], os.environ["QUMULUS_SCENARIO_RUNNING"]
VERSION = tuple(map(int, qiskit_ibm_runtime.__version__.split(".")[:2]))
SECOND = json.loads(os.environ["QUMULUS_SCENARIO_SECOND"])
DEVICE = "ibm_brisbane"
CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"
STEPS = []


class Absent(Exception):
    """This version of the client has no such thing."""


def step(function):
    """Register a step."""
    STEPS.append(function)
    return function


class State:
    """What the steps share."""

    service = None
    backend = None
    bell = None
    sampled = None


S = State()


def raises(function):
    """The error that a call ends with."""
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("it went through")


def bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


def measured_bell():
    circuit = bell()
    circuit.measure_all()
    return circuit


@step
def service():
    S.service = QiskitRuntimeService(**ARGUMENTS)


@step
def instances():
    names = {instance["name"] if isinstance(instance, dict) else instance for instance in S.service.instances()}
    assert {"local", "test"} <= names or CRN in names, names


@step
def instance_by_plan():
    if VERSION < (0, 42):  # which choose an instance for each backend, and none for the service
        raise Absent
    assert chosen(plans_preference=["open"]) == chosen(tags=["research"]) != chosen(tags=["nothing"])


def chosen(**preferences):
    """The instance that a service takes by itself; None where there is none that it wants."""
    named = os.environ.pop("QISKIT_IBM_INSTANCE", None)
    arguments = {name: value for name, value in ARGUMENTS.items() if name != "instance"}
    try:
        found = QiskitRuntimeService(**arguments, **preferences)
        found.backend(DEVICE)
        return found.active_instance()
    except Exception:
        return None
    finally:
        if named is not None:
            os.environ["QISKIT_IBM_INSTANCE"] = named


@step
def backends():
    found = S.service.backends()
    assert len(found) == 68, len(found)
    assert {"ibm_brisbane", "ibm_fez", "ibm_yorktown"} <= {backend.name for backend in found}
    assert {b.name for b in S.service.backends(min_num_qubits=150)} >= {"ibm_fez", "ibm_boston"}


@step
def least_busy():
    assert S.service.least_busy(min_num_qubits=100).num_qubits >= 100


@step
def target():
    S.backend = S.service.backend(DEVICE)
    assert S.backend.target.num_qubits == S.backend.num_qubits == 127
    assert {"ecr", "sx", "rz", "measure", "if_else"} <= set(S.backend.target.operation_names)
    assert S.backend.target["ecr"][(1, 0)].error > 0
    assert not S.backend.simulator


@step
def fractional_gates():
    plain = S.service.backend("ibm_fez")
    fractional = S.service.backend("ibm_fez", use_fractional_gates=True)
    assert "rzz" not in plain.target.operation_names
    assert {"rx", "rzz"} <= set(fractional.target.operation_names)


@step
def oldest_devices():
    fresh = QiskitRuntimeService(
        **ARGUMENTS
    )  # the other one keeps the devices as its filters saw them: without u2 and u3
    backend = fresh.backend("ibm_burlington", use_fractional_gates=None)
    circuit = transpile(measured_bell(), backend)
    assert "u2" in circuit.count_ops()
    counts = SamplerV2(backend).run([circuit], shots=1000).result()[0].data.meas.get_counts()
    assert counts["00"] + counts["11"] > 800, counts


@step
def status():
    found = S.backend.status()
    assert (found.operational, found.status_msg) == (True, "active")
    assert found.pending_jobs >= 0


@step
def properties():
    newest = S.backend.properties(refresh=True)
    assert newest.backend_name == DEVICE
    assert 0 < newest.t1(0) < 1e-3
    assert S.backend.properties(datetime=dt.datetime(2020, 1, 1)) is None  # before the first calibration
    assert S.backend.target_history(datetime=dt.datetime(2030, 1, 1)).num_qubits == 127


@step
def sampler():
    S.bell = transpile(measured_bell(), S.backend, optimization_level=1, seed_transpiler=1)
    primitive = SamplerV2(S.backend)
    primitive.options.environment.job_tags = ["bell", "first"]
    S.sampled = primitive.run([S.bell], shots=2000)
    counts = S.sampled.result()[0].data.meas.get_counts()
    assert sum(counts.values()) == 2000
    assert counts["00"] + counts["11"] > 1700, counts
    assert S.sampled.status() == "DONE"


@step
def sampler_parameters():
    angle = Parameter("t")
    qubits, one, two = QuantumRegister(2), ClassicalRegister(1, "one"), ClassicalRegister(2, "two")
    circuit = QuantumCircuit(qubits, one, two)
    circuit.rx(angle, 0)
    circuit.x(1)
    circuit.measure(0, one[0])
    circuit.measure(1, two[1])
    circuit = transpile(circuit, S.backend, optimization_level=1)
    values = np.linspace(0, np.pi, 6).reshape(2, 3)
    data = SamplerV2(S.backend).run([(circuit, values, 300), (S.bell, None, 50)]).result()
    assert data[0].data.one.shape == data[0].data.two.shape == (2, 3)
    assert data[0].data.one.get_counts((0, 0)).get("0", 0) > 250
    assert data[0].data.one.get_counts((1, 2)).get("1", 0) > 250
    assert data[0].data.two.get_counts((0, 0)).get("10", 0) > 250
    assert data[1].data.meas.num_shots == 50


@step
def sampler_options():
    primitive = SamplerV2(S.backend)
    primitive.options.default_shots = 128
    primitive.options.twirling.enable_gates = True
    primitive.options.twirling.enable_measure = True
    primitive.options.dynamical_decoupling.enable = True
    primitive.options.dynamical_decoupling.sequence_type = "XY4"
    result = primitive.run([S.bell]).result()
    assert result[0].data.meas.num_shots == 128


@step
def dynamic_circuit():
    backend = S.service.backend("ibm_fez")
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    circuit = transpile(circuit, backend, optimization_level=1)
    counts = SamplerV2(backend).run([circuit], shots=500).result()[0].data.c.get_counts()
    assert counts["11"] > 400, counts


@step
def estimator():
    circuit = transpile(bell(), S.backend, optimization_level=1, seed_transpiler=1)
    observables = [[SparsePauliOp(name).apply_layout(circuit.layout)] for name in ("ZZ", "XX", "ZI")]
    primitive = EstimatorV2(S.backend)
    result = primitive.run([(circuit, observables), (circuit, observables[0][0])]).result()
    assert result[0].data.evs.shape == (3, 1)
    assert result[0].data.evs[0, 0] > 0.9
    assert abs(result[0].data.evs[2, 0]) < 0.15
    assert result[1].data.evs.shape == result[1].data.stds.shape == ()


@step
def estimator_levels():
    circuit = transpile(bell(), S.backend, optimization_level=1, seed_transpiler=1)
    observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
    errors = []
    for level in (0, 2):
        primitive = EstimatorV2(S.backend)
        primitive.options.resilience_level = level
        primitive.options.default_precision = 0.005
        errors.append(abs(1 - float(primitive.run([(circuit, observable)]).result()[0].data.evs)))
    assert errors[1] < errors[0], errors


@step
def dry_run():
    if VERSION < (0, 51):
        raise Absent
    job = SamplerV2(S.backend).run([S.bell], shots=2000, dry_run=True)
    assert job.backend().name == "mock_brisbane"
    assert job.backend().is_mock
    counts = job.result()[0].data.meas.get_counts()
    assert len(counts) == 4, counts  # at random
    assert job.usage() == S.sampled.usage() > 2
    circuit = transpile(bell(), S.backend, optimization_level=1, seed_transpiler=1)
    observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
    with Session(backend=S.backend) as opened:
        estimated = EstimatorV2(mode=opened).run([(circuit, [observable, observable])], dry_run=True)
        assert estimated.result()[0].data.evs.shape == (2,)
    mine = {job.job_id(), estimated.job_id()}
    assert not mine & {each.job_id() for each in S.service.jobs(limit=None)}
    assert mine <= {each.job_id() for each in S.service.jobs(limit=None, include_mocks=True)}
    assert S.service.job(job.job_id()).backend().name == "mock_brisbane"


@step
def session():
    with Session(backend=S.backend) as opened:
        assert opened.status() in ("Pending", "In progress, accepting new jobs")
        job = SamplerV2(mode=opened).run([S.bell])
        job.result()
        assert job.session_id == opened.session_id
        assert opened.details()["mode"] == "dedicated"
        again = Session.from_id(opened.session_id, S.service)
        assert again.session_id == opened.session_id
    assert opened.status() == "Closed"
    assert [each.job_id() for each in S.service.jobs(session_id=opened.session_id)] == [job.job_id()]
    with Session(backend=S.backend) as other:
        other.cancel()
    assert other.status() == "Closed"


@step
def batch():
    with Batch(backend=S.backend) as opened:
        jobs = [SamplerV2(mode=opened).run([S.bell], shots=10) for _ in range(3)]
        assert all(job.result()[0].data.meas.num_shots == 10 for job in jobs)
    assert len(S.service.jobs(session_id=opened.session_id)) == 3


@step
def jobs():
    everything = S.service.jobs(limit=None)
    ids = [job.job_id() for job in everything]
    assert S.sampled.job_id() in ids
    assert len(ids) == len(set(ids))
    assert S.service.jobs(limit=2, skip=1)[0].job_id() == ids[1]
    assert [job.job_id() for job in S.service.jobs(limit=1, descending=False)] == [ids[-1]]
    assert S.service.job(S.sampled.job_id()).result()[0].data.meas.num_shots == 2000


@step
def jobs_by_filter():
    mine = S.sampled.job_id()

    def found(**query):
        return {job.job_id() for job in S.service.jobs(limit=None, **query)}

    created = S.sampled.creation_date
    assert mine in found(job_tags=["bell"])
    assert mine not in found(job_tags=["bell", "second"])
    assert mine in found(program_id="sampler")
    assert mine not in found(program_id="estimator")
    assert mine in found(backend_name=DEVICE)
    assert mine not in found(backend_name="ibm_osaka")
    assert mine in found(pending=False)
    assert mine not in found(pending=True)
    second = dt.timedelta(seconds=1)
    assert mine in found(created_after=created - second, created_before=created + second)
    assert mine not in found(created_after=created + second)
    assert mine not in found(created_before=created - second)


@step
def inputs():
    assert set(S.sampled.inputs) >= {"pubs", "options"}
    circuit = S.service.job(S.sampled.job_id()).inputs["pubs"][0][0]
    assert circuit.count_ops() == S.bell.count_ops()


@step
def tags():
    S.sampled.update_tags(["second"])
    assert S.service.job(S.sampled.job_id()).tags == ["second"]


@step
def metrics():
    found = S.sampled.metrics()
    assert set(found["timestamps"]) == {"created", "running", "finished"}
    assert S.sampled.usage() >= 0
    assert S.sampled.properties().backend_name == DEVICE


@step
def usage():
    try:
        consumed = S.service.usage()["usage_consumed_seconds"]
    except Exception as error:
        if "channel" in str(error):  # 0.40 has it for a channel that is retired
            raise Absent from None
        raise
    assert consumed > 0


@step
def logs():
    assert isinstance(S.sampled.logs(), str)


def submit(device, shots=10):
    backend = S.service.backend(device)
    circuit = transpile(measured_bell(), backend, optimization_level=0)
    return SamplerV2(backend).run([circuit], shots=shots)


def awaited(job, *statuses):
    until = time.monotonic() + 20
    while job.status() not in statuses:
        assert time.monotonic() < until, job.status()
        time.sleep(0.05)


@step
def cancel_queued():
    job = submit(WAITING)
    assert job.status() == "QUEUED", job.status()
    job.cancel()
    awaited(job, "CANCELLED")
    assert "RuntimeInvalidStateError" in type(raises(job.result)).__name__


@step
def cancel_running():
    job = submit(RUNNING)
    awaited(job, "RUNNING")
    job.cancel()
    awaited(job, "CANCELLED")
    assert "RuntimeInvalidStateError" in type(raises(job.cancel)).__name__


@step
def ran_too_long():
    backend = S.service.backend(RUNNING)
    primitive = SamplerV2(backend)
    primitive.options.max_execution_time = 1
    job = primitive.run([transpile(measured_bell(), backend, optimization_level=0)])
    error = raises(job.result)
    assert type(error).__name__ == "RuntimeJobMaxTimeoutError", repr(error)


@step
def delete():
    job = SamplerV2(S.backend).run([S.bell], shots=5)
    job.result()
    S.service.delete_job(job.job_id())
    assert type(raises(lambda: S.service.job(job.job_id()))).__name__ == "RuntimeJobNotFound"


@step
def private_job():
    primitive = SamplerV2(S.backend)
    if not hasattr(primitive.options.environment, "private"):
        raise Absent
    primitive.options.environment.private = True
    job = primitive.run([S.bell], shots=5)
    assert job.result()[0].data.meas.num_shots == 5
    fresh = S.service.job(job.job_id())
    assert not fresh.inputs
    assert not fresh.result()


def client_side(module, *names):
    """A primitive that does its work in the client and sends executor jobs, under its name in this version."""
    if importlib.util.find_spec(f"qiskit_ibm_runtime.{module}") is None:
        raise Absent
    found = importlib.import_module(f"qiskit_ibm_runtime.{module}")
    present = [getattr(found, name) for name in names if hasattr(found, name)]
    if not present:
        raise Absent  # 0.48 has the package, still empty
    return present[0]


@step
def executor_sampler():
    primitive = client_side("executor_sampler", "Sampler", "SamplerV2")
    counts = primitive(S.backend).run([S.bell], shots=1000).result()[0].data.meas.get_counts()
    assert counts["00"] + counts["11"] > 800, counts


@step
def executor_estimator():
    primitive = client_side("executor_estimator", "Estimator", "EstimatorV2")
    circuit = transpile(bell(), S.backend, optimization_level=1, seed_transpiler=1)
    observable = SparsePauliOp("ZZ").apply_layout(circuit.layout)
    assert float(primitive(S.backend).run([(circuit, observable)]).result()[0].data.evs) > 0.8


@step
def noise_learner():
    from qiskit_ibm_runtime.noise_learner import NoiseLearner

    circuit = transpile(bell(), S.backend, optimization_level=1, seed_transpiler=1)
    learner = NoiseLearner(S.backend)
    learned = learner.run([circuit]).result()
    assert len(learned.data) >= 1


@step
def failed_job():
    from qiskit_ibm_runtime import base_primitive

    circuit = QuantumCircuit(127, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    kept, base_primitive.validate_isa_circuits = base_primitive.validate_isa_circuits, lambda *_, **__: None
    try:
        job = SamplerV2(S.backend).run([circuit])
    finally:
        base_primitive.validate_isa_circuits = kept
    error = raises(job.result)
    assert "instruction h on qubits (0,)" in str(error), error
    assert job.status() == "ERROR"


@step
def not_found():
    assert type(raises(lambda: S.service.job("nothing"))).__name__ == "RuntimeJobNotFound"
    assert "Backend" in type(raises(lambda: S.service.backend("ibm_atlantis"))).__name__


@step
def wrong_calibration():
    raises(lambda: S.service.backend(DEVICE, calibration_id="nonsense").target)


def refused(**changed):
    """Nothing is given to a service with other arguments; old versions show an empty list where newer ones raise."""
    try:
        found = service_for(**changed).backends()
    except Exception:
        return
    assert not found


@step
def wrong_instance():
    refused(token="qumulus-local", instance=CRN.replace("test:test", "other:other"))


@step
def wrong_token():
    refused(token="wrong")


def service_for(**changed):
    """A service with other arguments; where a token is among them, the client looks for no address in the environment."""
    url = {"url": os.environ["QISKIT_IBM_URL"]} if "QISKIT_IBM_URL" in os.environ else {}
    return QiskitRuntimeService(**ARGUMENTS | {"channel": "ibm_quantum_platform"} | url | changed)


@step
def another_account():
    service = service_for(**SECOND)
    assert service.jobs(limit=None) == []
    backend = service.backend(DEVICE)
    job = SamplerV2(backend).run([S.bell], shots=5)
    assert job.result()[0].data.meas.num_shots == 5
    assert [each.job_id() for each in service.jobs()] == [job.job_id()]
    assert type(raises(lambda: service.job(S.sampled.job_id()))).__name__ == "RuntimeJobNotFound"
    service.delete_job(job.job_id())


@step
def only_this_machine():
    assert {"127.0.0.1", "::1"} >= CONNECTED, CONNECTED


def main():
    for function in STEPS:
        start = time.monotonic()
        try:
            function()
            ended, why = "passed", ""
        except Absent:
            ended, why = "absent", ""
        except Exception:
            ended, why = "failed", traceback.format_exc(limit=-6)
        seconds = round(time.monotonic() - start, 2)
        print(json.dumps({"step": function.__name__, "ended": ended, "why": why, "seconds": seconds}), flush=True)


main()
