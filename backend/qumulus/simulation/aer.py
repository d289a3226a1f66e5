"""Aer with the calibrated noise, of the active qubits only.

The local mode of the client package converts the noise of the whole device for each run, which takes seconds; errors of
qubits that no gate touches never act, so the same model restricted to the active qubits gives the same counts bit for bit
in milliseconds. It is used for what the exact methods do not reach, and for jobs that ask for the counts of local mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit import Delay
from qiskit.primitives import BackendSamplerV2, PrimitiveResult, SamplerPubLike
from qiskit.primitives.containers.sampler_pub import SamplerPub

from .circuits import scan
from .devices import CATALOGUE, DeviceModel
from .ideal import bound, run
from .meter import meter
from .seeds import Seed
from .tasks import Drawn, Estimate, Method, Task
from .timeline import padded

if TYPE_CHECKING:
    from qiskit_aer.noise import NoiseModel

_BYTES = 16
_SECONDS_TO_START = 1e-2
_SECONDS_PER_SHOT = 1e-4  # of a dynamic circuit of five qubits
_SECONDS_PER_AMPLITUDE = 2e-9  # a gate, in each shot


def noise_model(model: DeviceModel, qubits: Iterable[int]) -> NoiseModel:
    """Aer's own noise model of a calibration, built by Aer, for operations on these physical qubits.

    As the client package's local mode builds it, but for delays on qubits whose T2 is longer than 2 T1 or unknown: there
    local mode fails or forgets all delays, and here T2 counts as 2 T1 and an unknown time as infinite.
    """
    from qiskit_aer.noise import NoiseModel
    from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors
    from qiskit_aer.noise.passes import RelaxationNoisePass

    if model.noise is None:
        raise ValueError(f"{model.name} has no noise.")
    active = set(qubits)
    document = CATALOGUE.calibration(model.name, calibration_id=model.calibration_id).properties
    properties = SimpleNamespace(
        qubits=[_entries(entries) if q in active else [] for q, entries in enumerate(document["qubits"])],
        gates=[
            SimpleNamespace(gate=gate["gate"], qubits=gate["qubits"], parameters=_entries(gate["parameters"]))
            for gate in document["gates"]
            if active.issuperset(gate["qubits"])
        ],
    )
    noise = NoiseModel(basis_gates=list(CATALOGUE.configuration(model.name)["basis_gates"]))
    for where, error in basic_device_readout_errors(properties):
        noise.add_readout_error(error, where)
    for name, where, error in basic_device_gate_errors(properties):
        noise.add_quantum_error(error, name, where)
    t1, t2 = model.noise.t1, np.minimum(model.noise.t2, 2 * model.noise.t1)
    noise._custom_noise_passes.append(RelaxationNoisePass(list(t1), list(t2), dt=model.dt, op_types=Delay))
    return noise


def sample_like_local_mode(
    pubs: Sequence[SamplerPubLike], model: DeviceModel, *, default_shots: int, seed: int | None
) -> PrimitiveResult:
    """The result of the client package's local mode, bit for bit: the same primitive on Aer with the same noise.

    Raises:
        ProgramError: a circuit does not fit the device.
    """
    from qiskit_aer import AerSimulator

    coerced = [SamplerPub.coerce(pub, default_shots) for pub in pubs]
    active = {qubit for pub in coerced for qubit in scan(pub.circuit, model).physical}
    simulator = AerSimulator() if model.ideal else AerSimulator(noise_model=noise_model(model, active))
    simulator.set_options(max_parallel_threads=1)
    sampler = BackendSamplerV2(backend=simulator, options={"default_shots": default_shots, "seed_simulator": seed})
    with meter().method(_BYTES * 2.0 ** len(active)):
        return sampler.run(coerced).result()


def _entries(entries: Iterable[dict[str, Any]]) -> list[SimpleNamespace]:
    """Calibration entries as objects, as Aer reads them."""
    return [SimpleNamespace(**entry) for entry in entries]


def _objection(task: Task) -> str | None:
    if task.circuit.num_declared_vars:
        return "Aer knows few operations on classical variables"
    noise = task.active.model.noise
    if noise is not None and (noise.twirled_gates or noise.twirled_measurements):
        return "its noise is not twirled"
    if noise is not None and noise.coherent_share:
        return "its noise is what the calibration says"
    return "the device has no noise" if task.active.model.ideal else None


def _estimate(task: Task) -> Estimate:
    """One state vector a shot; Aer's own density matrix, on up to ten qubits, is faster still."""
    n_operations = sum(task.circuit.count_ops().values())
    amplitudes = 2.0**task.active.n_qubits
    seconds = _SECONDS_TO_START + task.shots * (_SECONDS_PER_SHOT + n_operations * amplitudes * _SECONDS_PER_AMPLITUDE)
    return Estimate(seconds, _BYTES * amplitudes + task.shots * (task.active.n_bits + 64.0))


def _sample(task: Task, seed: Seed) -> Drawn:
    model, circuit = task.active.model, bound(task)
    if model.scheduled:
        circuit = padded(circuit, model)
    return Drawn(run(circuit, task, seed, noise_model=noise_model(model, task.active.physical)))


METHOD = Method(
    name="aer",
    engine=f"qiskit-aer {version('qiskit-aer')}",
    objection=_objection,
    estimate=_estimate,
    sample=_sample,
)
