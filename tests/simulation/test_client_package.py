"""The client package's modules without its start, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys


def said(code: str) -> str:
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return ended.stdout.strip()


def test_warming_a_worker_does_not_start_the_client_package() -> None:
    code = """
import sys
from qumulus.simulation import worker
worker.warm()
print([name for name in ("ibm_cloud_sdk_core", "ibm_platform_services", "qiskit_ibm_runtime.qiskit_runtime_service")
       if name in sys.modules])
"""
    assert said(code) == "[]"


def test_the_first_transpilation_imports_nothing_more_of_it() -> None:
    code = """
import sys
from qumulus.simulation import worker
worker.warm()
before = set(sys.modules)
from qiskit.transpiler import CouplingMap, generate_preset_pass_manager
generate_preset_pass_manager(1, coupling_map=CouplingMap.from_line(5), basis_gates=["ecr", "sx", "rz", "x"])
print(sorted(name for name in set(sys.modules) - before if name.startswith(("qiskit_ibm_runtime", "ibm_"))))
"""
    assert said(code) == "[]"


def test_a_name_of_the_package_itself_is_there_when_it_is_asked_for() -> None:
    code = """
from qumulus.simulation import client_package
client_package.defer()
import qiskit_ibm_runtime.utils.json
from qiskit_ibm_runtime import RuntimeEncoder, fake_provider
import qiskit_ibm_runtime
print(RuntimeEncoder is qiskit_ibm_runtime.utils.json.RuntimeEncoder, type(qiskit_ibm_runtime).__name__)
"""
    assert said(code) == "True module"


def test_a_package_that_is_imported_stays_as_it_is() -> None:
    code = """
import qiskit_ibm_runtime
from qumulus.simulation import client_package
client_package.defer()
print(qiskit_ibm_runtime.QiskitRuntimeService.__name__)
"""
    assert said(code) == "QiskitRuntimeService"
