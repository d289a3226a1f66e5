"""The cases of oqtopus-client."""

import os

from meeting import main
from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec

CLIENT = OqtopusClient(OqtopusConfig(url=os.environ["URL"], api_token="local.qumulus-local"))
PROGRAM = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'


def run():
    spec = OqtopusJobSpec.sampling(device_id="qulacs", program=PROGRAM, shots=100)
    return f"the result, {sum(CLIENT.run_sampling(spec).get_counts().values())} shots"


def waiting():
    CLIENT.run_sampling(
        OqtopusJobSpec.sampling(device_id="qulacs", program=PROGRAM, shots=100), interval=0.1, timeout=1
    )


def untranspiled():
    spec = OqtopusJobSpec.sampling(
        device_id="Kawasaki",
        program=PROGRAM.replace("h q[0]", "x q[0]"),
        shots=100,
        transpiler_info={"transpiler_lib": None},
    )
    result = CLIENT.run_sampling(spec)
    return f"the status {result.status}, {sum(result.get_counts().values())} shots, {result.message!r}"


main(
    {
        "list devices": lambda: f"{len(CLIENT.list_devices()) > 0 and 'devices'}",
        "run a job": run,
        "wait 1 s for a job": waiting,
        "run an untranspiled job": untranspiled,
    }
)
