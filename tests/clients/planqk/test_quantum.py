"""The quantum clients, unmodified: Bell circuits on each simulator, by Qiskit and by Braket."""

from __future__ import annotations

import pytest

BACKENDS = ("aws.sim.sv1", "azure.ionq.simulator")
CLIENTS = [("planqk-quantum-3.1.2", "planqk", BACKENDS), ("qhub-quantum-1.18.1", "qhub", ("kipu.sim.qsim", *BACKENDS))]


@pytest.mark.parametrize(("client", "which", "backends"), CLIENTS, ids=[client for client, *_ in CLIENTS])
def test_bell_circuits_run_on_every_simulator(run, client, which, backends):
    told = run(client, "quantum.py", which, *backends)
    assert set(backends) <= set(told["backends"])
    for name in backends:
        counts = told[name]
        assert set(counts) == {"000", "011"}, name
        assert sum(counts.values()) == 200
        assert told[f"{name} status"] == told[f"{name} again"] == "DONE"
    assert told["online"] == "ONLINE"
    assert set(told["braket"]) == {"00", "11"}
    assert told["braket state"] == "COMPLETED"
    assert told["wrong"]
