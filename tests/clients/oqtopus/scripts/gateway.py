"""Runs programs on the simulator, in the tests' own environment: a JSON line in, a JSON line out."""

import json
import sys

from qumulus.core.programs import Program
from qumulus.payloads.zip_files import pack_json, unpack_json
from qumulus.simulation.errors import ProgramError
from qumulus.simulation.programs.openqasm_jobs import run

for line in sys.stdin:
    content, shots, kind, transpiler = json.loads(line)
    program = Program(
        job_id="of an engine",
        kind="openqasm.job",
        payload=pack_json("input.json", content),
        device="lima",
        shots=shots,
        options={"job_type": kind, "transpiler_info": transpiler},
    )
    try:
        files = run(program, lambda *_: None).files
    except ProgramError as error:
        said = {"failed": error.message}
    else:
        said = {name.removesuffix(".zip"): unpack_json(files[name], most_bytes=1 << 20) for name in files}
    print(json.dumps(said), flush=True)
