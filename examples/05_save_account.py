"""Save an account in a file, and connect with it. The token services are still found by IAM_URL and the GLOBAL_ variables."""

import os
import tempfile
from pathlib import Path

from qiskit_ibm_runtime import QiskitRuntimeService

with tempfile.TemporaryDirectory() as folder:
    filename = str(Path(folder) / "accounts.json")
    QiskitRuntimeService.save_account(
        channel="ibm_quantum_platform",
        token=os.environ["QISKIT_IBM_TOKEN"],
        url=os.environ["QISKIT_IBM_URL"],
        instance="test",
        name="qumulus",
        filename=filename,
    )
    service = QiskitRuntimeService(filename=filename, name="qumulus")
    print("saved:", ", ".join(QiskitRuntimeService.saved_accounts(filename=filename)))
    print(f"{len(service.backends())} devices with the saved account")
