"""The quantum clients, unmodified: Qiskit and Braket on each simulator, Qiskit Runtime on the devices of IBM."""

from __future__ import annotations

import pytest

OLDER = ("aws.sim.sv1", "aws.sim.dm1", "azure.ionq.simulator", "qudora.sim.xg1")
NEWER = (*OLDER, "kipu.sim.qsim", "aqt.sim.ideal")
CLIENTS = [("planqk-quantum-3.1.2", "planqk", OLDER), ("qhub-quantum-1.18.1", "qhub", NEWER)]
BY_CLIENT = pytest.mark.parametrize(("client", "which", "backends"), CLIENTS, ids=[client for client, *_ in CLIENTS])


@BY_CLIENT
def test_bell_circuits_run_on_every_simulator(run, client, which, backends):
    told = run(client, "quantum.py", which, *backends)
    assert set(backends) <= set(told["backends"])
    for name in backends:
        counts = told[name]
        assert set(counts) == {"000", "011"}, name
        assert sum(counts.values()) == 200
        assert told[f"{name} status"] == told[f"{name} again"] == "DONE"
    for name in ("aws.sim.sv1", "aws.sim.dm1"):
        assert told[f"{name} online"] == "ONLINE"
        assert set(told[f"{name} braket"]) == {"00", "11"}
        assert told[f"{name} state"] == "COMPLETED"
    assert told["cancelled"] == "CANCELLED"
    assert told["listed"] is True
    assert told["wrong"]
    assert "'aws.sim.none'" in told["unknown"]
    if which == "qhub":
        for name in ("aws.sim.sv1", "aqt.sim.ideal", "qudora.sim.xg1"):
            bell, flipped = told[f"{name} several"]
            assert set(bell) == {"000", "011"}, name
            assert sum(bell.values()) == 50
            assert flipped == {"100": 50}, name
        assert told["statevector"] == [[0, 0], [0.707, 0], [0, 0], [0.707, 0]]
        assert told["amplitudes"] == [0, 0.707, 0, 0]
        assert told["calibration"] is None


@BY_CLIENT
def test_primitives_and_sessions_run_on_the_devices_of_ibm(run, client, which, backends):
    told = run(client, "runtime.py", which)
    assert {"ibm.qpu.fez", "ibm.qpu.marrakesh"} <= set(told["backends"])
    assert told["qubits"] == 156
    assert told["status"] == "active"
    assert 1e-6 < told["t1"] < 1e-2
    assert sum(told["counts"].values()) == told["again"] == 500
    assert told["counts"]["00"] + told["counts"]["11"] > 400
    assert told["done"] == "DONE"
    assert 0.7 < told["zz"] < 1.1
    assert told["in session"] == [100, 100]
    assert told["session id"] is True
    assert told["session"] == "active"
    assert told["closed"] == "closed"
    assert "closed" in told["too late"]
    assert told["in batch"] == 100
    assert told["mode"] == ("batch" if which == "qhub" else "dedicated")  # the older one loses what it is asked for
    assert told["cancelled session"] == "closed"
    assert "instruction h on qubits (0,) is not supported" in told["wrong"]
    if which == "qhub":
        assert told["least busy"] in told["backends"]
        assert told["minutes"] == [[], None]
        assert told["calibrated"] == ["gate_based", 156]
        assert told["of the job"] == pytest.approx(told["t1"] * 1e6)
        assert told["history"] >= 1
        assert told["nothing"] == []
        assert told["usage"] == "MEASURED"
        assert told["test"] == 120
        assert told["view"] == ["counts", True, 500]
        assert told["memory"] == 500
        assert told["view of the estimator"] == ["expectation_values", [], True]
        assert told["view of the input"] == ["openqasm.v3", "OPENQASM 3.0;"]
        assert told["stream"] is True
        assert told["workloads"] == {"dedicated": 2, "batch": 1}
        assert told["cancelled"] == "CANCELLED"
