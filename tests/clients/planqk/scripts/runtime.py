"""What a user of the IBM backends does: primitives, sessions and batches, through Qiskit Runtime's own classes."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta

from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import Batch, EstimatorV2, SamplerV2, Session

NEWER = sys.argv[1] == "qhub"
if NEWER:
    from qhub.quantum.sdk import HubQiskitRuntimeService as Service
else:
    from planqk.quantum.sdk import PlanqkQiskitRuntimeService as Service

told = {}
service = Service(access_token="qumulus-local")
told["backends"] = sorted(service.backends())
backend = service.backend("ibm.qpu.fez")
told["qubits"] = backend.num_qubits
told["status"] = backend.status().status_msg
told["t1"] = backend.properties().t1(0)

circuit = QuantumCircuit(2)
circuit.h(0)
circuit.cx(0, 1)
observable = SparsePauliOp("ZZ")
placed = transpile(circuit, backend, optimization_level=1, initial_layout=[0, 1], seed_transpiler=1)
measured = circuit.copy()
measured.measure_all()
measured = transpile(measured, backend, optimization_level=1, initial_layout=[0, 1], seed_transpiler=1)

job = SamplerV2(mode=backend).run([measured], shots=500)
told["counts"] = job.result()[0].data.meas.get_counts()
told["done"] = str(job.status())
again = service.job(job.job_id())
told["again"] = sum(again.result()[0].data.meas.get_counts().values())

estimated = EstimatorV2(mode=backend).run([(placed, observable.apply_layout(placed.layout))])
told["zz"] = float(estimated.result()[0].data.evs)

with Session(backend=backend) as session:
    first = SamplerV2(mode=session).run([measured], shots=100)
    second = SamplerV2(mode=session).run([measured], shots=100)
    told["in session"] = [sum(each.result()[0].data.meas.get_counts().values()) for each in (first, second)]
    told["session id"] = session.session_id == first.session_id
    told["session"] = session.details()["state"]
told["closed"] = session.details()["state"]
try:
    SamplerV2(mode=session).run([measured], shots=100)
except Exception as error:
    told["too late"] = str(error)
with Batch(backend=backend) as batch:
    told["in batch"] = sum(SamplerV2(mode=batch).run([measured], shots=100).result()[0].data.meas.get_counts().values())
told["mode"] = batch.details()["mode"]
ended = Session(backend=backend)
ended.cancel()
told["cancelled session"] = ended.details()["state"]

wrong = QuantumCircuit(2)
wrong.h(0)
wrong.measure_all()
try:
    SamplerV2(mode=backend).run([wrong], shots=100).result()
except Exception as error:
    told["wrong"] = f"{type(error).__name__}: {error}"

if NEWER:
    told["least busy"] = service.least_busy(min_num_qubits=120).name
    told["minutes"] = [service.runtime_minutes(), service.runtime_minutes("ibm.qpu.fez")]
    calibration = backend.calibration()
    told["calibrated"] = [calibration.calibration.type, len(calibration.calibration.qubits)]
    told["of the job"] = job.calibration().qubits[0].t1_us
    since = datetime(2020, 1, 1, tzinfo=UTC)
    told["history"] = len(backend.calibration_history(since, datetime.now(UTC) + timedelta(days=1)))
    told["nothing"] = backend.calibration_history(since, since + timedelta(days=1))
    told["usage"] = job.metrics()["usage"]["state"]
    told["test"] = service.backend("ibm.test.nighthawk").num_qubits
    from qhub.api.quantum import HubQuantumClient

    hub = HubQuantumClient(api_key="qumulus-local", base_url=os.environ["QHUB_QUANTUM_BASE_URL"])
    view = hub.jobs.get_normalized_job_result(job.job_id()).pubs[0]
    told["view"] = [view.type, view.counts == told["counts"], view.shots]
    told["memory"] = len(hub.jobs.get_normalized_job_memory(job.job_id()).memory)
    view = hub.jobs.get_normalized_job_result(estimated.job_id()).pubs[0]
    told["view of the estimator"] = [view.type, view.shape, view.values == [told["zz"]]]
    view = hub.jobs.get_normalized_job_input(job.job_id())
    told["view of the input"] = [view.format, view.pubs[0].qasm.splitlines()[0]]
    told["stream"] = json.loads(b"".join(hub.jobs.get_job_result_stream(job.job_id()))) == hub.jobs.get_job_result(
        job.job_id()
    )
    listed = hub.workloads.get_workloads(type="SESSION", size=100).content
    told["workloads"] = {
        each.mode: each.job_count for each in listed if each.id in (session.session_id, batch.session_id)
    }
    cancelled = SamplerV2(mode=backend).run([measured] * 50, shots=100_000)
    cancelled.cancel()
    cancelled.wait_for_final_state(poll_interval=0.1)
    told["cancelled"] = str(cancelled.status())
print(json.dumps(told))
