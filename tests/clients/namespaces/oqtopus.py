"""A script of a user of OQTOPUS, whose address and token are in the environment."""

from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec

PROGRAM = 'OPENQASM 3; include "stdgates.inc"; qubit[1] q; bit[1] c; x q[0]; c = measure q;'
client = OqtopusClient(OqtopusConfig.from_env())
result = client.run_sampling(OqtopusJobSpec.sampling(device_id="qulacs", program=PROGRAM, shots=10), interval=0.1)
assert result.get_counts() == {"1": 10}
print(result.job_id)
