"""The kinds of programs there are, and what jobs of each kind bring along: what APIs and whoever runs their jobs agree on.

primitives      inputs of the primitives of Qiskit Runtime
openqasm        the text of one OpenQASM program with its options; archives of several
circuits        circuits in a provider's own format
drawings        a circuit of another job, to be drawn
user_programs   Python programs of users: deployed ones, and those that are sent with a job
zip_files       zip files with one JSON document, as inputs and results travel
"""

from __future__ import annotations

from qumulus.core.kinds import Kinds

from .circuits import CIRCUITS
from .drawings import DRAWING
from .openqasm import OPENQASM_ARCHIVE, OPENQASM_TASK
from .primitives import CALIBRATE, ESTIMATOR, EXECUTOR, NOISE_LEARNER, SAMPLER
from .user_programs import SENT_PROGRAM, SERVICE

SIMULATED = Kinds(
    OPENQASM_TASK, CIRCUITS, OPENQASM_ARCHIVE, SAMPLER, ESTIMATOR, EXECUTOR, NOISE_LEARNER, CALIBRATE, DRAWING
)
"""What workers simulate."""

USER_PROGRAMS = Kinds(SERVICE, SENT_PROGRAM)
"""What runs in a child process of its own, in a sandbox."""

KINDS = Kinds(*SIMULATED.values(), *USER_PROGRAMS.values())
