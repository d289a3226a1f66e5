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
SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"


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
        while "begun" not in (slow.logs() or ""):
            time.sleep(0.2)
        found["stopped"] = slow.cancel()
        slow.result(cadence=0.5)
        found["cancelled"] = slow.status()
    os.chdir(Path.home())
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


if __name__ == "__main__":
    main()
