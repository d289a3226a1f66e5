"""An expectation value with OQTOPUS' client: read by a noisy device, with and without mitigation of the readout.

qumulus run -- python examples/oqtopus_estimation.py
"""

from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec

BELL = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
OPERATOR = [{"pauli": "X 0 X 1", "coeff": 0.5}, {"pauli": "Z 0 Z 1", "coeff": 0.5}]

client = OqtopusClient(OqtopusConfig.from_env())
for name, mitigation in (("as read", {}), ("mitigated", {"ro_error_mitigation": "pseudo_inverse"})):
    spec = OqtopusJobSpec.estimation(
        device_id="Kawasaki", program=BELL, operator=OPERATOR, shots=10_000, mitigation_info=mitigation
    )
    result = client.run_estimation(spec)
    print(f"{name}: {result.exp_value:.3f} ± {result.stds:.3f}, ideal 1")
