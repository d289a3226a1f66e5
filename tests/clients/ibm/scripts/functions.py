"""What a user of qiskit-ibm-catalog and qiskit-serverless does: uploads a function, runs it, reads what it saved."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from qiskit import QuantumCircuit
from qiskit_ibm_catalog import QiskitFunctionsCatalog, QiskitServerless
from qiskit_serverless import QiskitFunction
from qiskit_serverless.exception import QiskitServerlessException

PROGRAM = """
import os
from qiskit import transpile
from qiskit_ibm_runtime import SamplerV2
from qiskit_serverless import get_arguments, get_runtime_service, save_result, update_status, distribute_task, get
from helper import doubled

arguments = get_arguments()
print("shots", arguments["shots"], flush=True)
assert update_status("EXECUTING_QPU")
service = get_runtime_service()
backend = service.backend(arguments["backend_name"])
job = SamplerV2(backend).run([transpile(arguments["circuit"], backend)], shots=arguments["shots"])
counts = job.result()[0].data.meas.get_counts()

@distribute_task()
def square(number):
    return number * number

save_result({
    "counts": counts,
    "doubled": doubled(21),
    "squares": get([square(number) for number in (1, 2, 3)]),
    "circuit": arguments["circuit"],
    "data": open(os.path.join(os.environ["DATA_PATH"], "data.csv")).read(),
    "variable": os.environ["MINE"],
    "job": job.job_id(),
})
"""
BROKEN = "print('about to fail')\nraise ValueError('no such luck')\n"
OURS = """
import os
from qiskit_serverless import ServerlessError, get_arguments, get_logger, get_provider_logger, save_result, send_error

get_logger().info("for you")
get_provider_logger().info("for us")
print("for nobody in particular")
electrons = get_arguments()["electrons"]
if electrons == 0:
    error = ServerlessError("4001", "no electrons", {"electrons": 0})
    assert send_error(error.code, error.message, type(error).__name__, error.details)
    raise error
save_result({"table": open(os.path.join(os.environ["PROVIDER_DATA_PATH"], "table.csv")).read()})
"""
SCHEMA = {"type": "object", "required": ["electrons"], "properties": {"electrons": {"type": "integer"}}}
SLOW = """
import time
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2
from qiskit_serverless import get_runtime_service

circuit = QuantumCircuit(1)
circuit.measure_all()
backend = get_runtime_service().backend("ibm_lima")
print(SamplerV2(backend).run([circuit], shots=10).job_id(), flush=True)
time.sleep(600)
"""


def function(title, text, folder, **more):
    place = Path(folder) / title
    place.mkdir()
    (place / "main.py").write_text(text)
    (place / "helper.py").write_text("def doubled(number):\n    return 2 * number\n")
    return QiskitFunction(title=title, entrypoint="main.py", working_dir=str(place), **more)


def main():
    found = {}
    serverless = QiskitServerless()
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        uploaded = serverless.upload(
            function("bell-pairs", PROGRAM, folder, env_vars={"MINE": "here"}, description="Bell")
        )
        found["uploaded"] = [uploaded.title, uploaded.entrypoint, uploaded.description]
        loaded = serverless.load("bell-pairs")
        Path("data.csv").write_text("a,b")
        serverless.file_upload("data.csv", loaded)
        found["files"] = serverless.files(loaded)
        serverless.file_download("data.csv", loaded, "again.csv", folder)
        found["downloaded"] = Path("again.csv").read_text()
        job = loaded.run(circuit=circuit, shots=200, backend_name="ibm_lima")
        result = job.result(cadence=0.5)
        found["status"] = job.status()
        found["log"] = job.logs()
        found["runtime_jobs"] = job.runtime_jobs() == [result["job"]]
        found["shots"] = sum(result["counts"].values())
        found["likely"] = max(result["counts"], key=result["counts"].get) in ("00", "11")
        found["same_circuit"] = result["circuit"] == circuit
        found |= {name: result[name] for name in ("doubled", "squares", "data", "variable")}
        found["deleted"] = serverless.file_delete("data.csv", loaded)
        found["left"] = serverless.files(loaded)

        broken = serverless.upload(function("broken", BROKEN, folder)).run()
        try:
            broken.result(cadence=0.5)
        except QiskitServerlessException as error:
            found["error"] = str(error)
        found["broken"] = [broken.status(), "about to fail" in broken.logs()]

        slow = serverless.upload(function("slow", SLOW, folder)).run()
        while not slow.runtime_jobs():
            time.sleep(0.2)
        found["stopped"] = slow.cancel()
        slow.result(cadence=0.5)
        found["cancelled"] = slow.status()
        os.chdir(Path.home())
        found |= offered(serverless, folder)
    found["listed"] = sorted(each.title for each in serverless.list())
    found["jobs"] = [each.status() for each in serverless.jobs(limit=5)]
    found["of_function"] = len(loaded.jobs())
    catalog = QiskitFunctionsCatalog()
    found["vendors"] = sorted({each.provider for each in catalog.list() if each.provider})
    theirs = catalog.load("ibm/circuit-function")
    try:
        theirs.run(backend_name="ibm_lima")
    except QiskitServerlessException as error:
        found["theirs"] = str(error)
    json.dump(found, sys.stdout)


def offered(serverless, folder):
    """What a provider does, and whoever runs its function; both are the same account here."""
    ours = serverless.upload(function("ours", OURS, folder, provider="my-company", arguments_schema=SCHEMA))
    Path("table.csv").write_text("1,2")
    serverless.provider_file_upload("table.csv", ours)
    found = {"provider_files": [serverless.provider_files(ours), serverless.files(ours)]}
    serverless.provider_file_download("table.csv", ours, "again.csv", folder)
    found["provider_file"] = Path(folder, "again.csv").read_text()
    found["valid"] = ours.validate_arguments({"electrons": 2})
    try:
        ours.run(electrons="many")
    except QiskitServerlessException as error:
        found["invalid"] = str(error)
    catalog = QiskitFunctionsCatalog()
    job = catalog.load("my-company/ours").run(electrons=2)
    found["table"] = job.result(cadence=0.5)["table"]
    found["logs"] = [job.logs(), job.provider_logs()]
    failing = ours.run(electrons=0)
    try:
        failing.result(cadence=0.5)
    except QiskitServerlessException as error:
        found["told"] = str(error)
    found["events"] = [[event.event_type, event.data] for event in failing.events()]
    found["errors"] = [event.data["code"] for event in failing.events(type="ERROR")]
    found["provider_jobs"] = [each.status() for each in serverless.provider_jobs(ours)]
    found["of_catalog"] = len(catalog.jobs())
    found["deleted_theirs"] = serverless.provider_file_delete("table.csv", ours)
    found["in_catalog"] = [each.title for each in catalog.list() if each.provider == "my-company"]
    return found


if __name__ == "__main__":
    main()
