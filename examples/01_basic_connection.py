"""Connect: the variables that `qumulus env ibm` prints are enough."""

from qiskit_ibm_runtime import QiskitRuntimeService

service = QiskitRuntimeService()
for instance in service.instances():
    print(f"instance {instance['name']}, plan {instance['plan']}")
print(f"connected to {service.active_account()['url']}")
