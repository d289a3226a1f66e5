"""The limits of Qiskit Runtime itself, as data: each with the document that says it, and the document's date.

They hold as well as this cloud's own limits, unless `--ibm-limits off` says otherwise. Requests are held to them in
`apis/ibm/runtime/limits.py`, programs where they are decoded, in `simulation/programs/runtime/service_limits.py`. Where
documents disagree, the newer one is followed, and ``note`` says what the older one said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from . import runtime_errors as errors

GUIDES = "https://quantum.cloud.ibm.com/docs/guides/"
JOB_LIMITS, DYNAMIC = GUIDES + "job-limits", GUIDES + "execute-dynamic-circuits"
LONGEST, RUN_SESSION, RUN_BATCH = (
    GUIDES + name for name in ("max-execution-time", "run-jobs-session", "run-jobs-batch")
)
OPTIONS, FRACTIONAL = GUIDES + "estimator-options", GUIDES + "fractional-gates"
REST = "https://quantum.cloud.ibm.com/docs/api/qiskit-runtime-rest"


class Limit(NamedTuple):
    """One limit: its value, None where none is enforced, and the code of `runtime_errors` that who is over it gets."""

    value: float | None
    code: int | None
    source: str
    as_of: str  # year and month of the document
    note: str = ""


SAMPLER_EXECUTIONS = Limit(
    10_000_000,
    errors.TOO_MANY_SHOTS,
    JOB_LIMITS,
    "2026-09",
    "Until 2024 5 million, and for estimators, too. No code is published; that of too many shots is used.",
)
MAX_SHOTS = Limit(
    None,
    None,
    JOB_LIMITS,
    "2026-09",
    "max_shots and max_experiments of a backend's configuration are no longer enforced.",
)
QUBIT_INSTRUCTIONS = Limit(
    26_800_000, errors.TOO_LONG, JOB_LIMITS, "2026-09", "For each qubit, in the control system. Until 2024 32 million."
)
RZ_GATES = Limit(30_000_000, errors.TOO_LONG, JOB_LIMITS, "2026-09", "In one circuit. In 2025 2.4 million.")
SX_GATES = Limit(20_000_000, errors.TOO_LONG, JOB_LIMITS, "2026-09", "In one circuit. In 2025 1.6 million.")
TWO_QUBIT_GATES = Limit(
    5_000_000,
    errors.TOO_LONG,
    JOB_LIMITS,
    "2026-09",
    "In one circuit. In 2025 400,000, and 100,000 in dynamic circuits.",
)
OPERAND_BITS = Limit(32, errors.NOT_SUPPORTED, DYNAMIC, "2026-09", "Bits that one if_test compares.")
EXECUTION_SECONDS = Limit(10_800, errors.RAN_TOO_LONG, LONGEST, "2026-09", "Of usage, not of time. In 2023 8 hours.")
SESSION_SECONDS = Limit(28_800, None, RUN_SESSION, "2026-09", "Who asks for more gets this.")
INTERACTIVE_SECONDS = Limit(60, None, RUN_SESSION, "2026-09", "Can't be chosen.")
BATCH_INTERACTIVE_SECONDS = Limit(
    1,
    None,
    RUN_BATCH,
    "2026-09",
    "Can't be chosen. The text of the page says a minute; what it prints of a batch is 1.",
)
TAGS = Limit(8, errors.TOO_MANY_TAGS, REST, "2026-04")

OPEN_SESSION_SECONDS = Limit(
    600, None, RUN_BATCH, "2026-09", "Of a batch in the Open Plan. Who asks for more gets this."
)
OPEN_DEDICATED_SESSIONS = Limit(0, errors.NO_SESSION_IN_PLAN, RUN_SESSION, "2026-09")
OPEN_JOBS_A_MINUTE = Limit(
    5,
    errors.TOO_MANY_REQUESTS,
    REST,
    "2026-04",
    "Documented for each user, whatever the plan; held here in the Open Plan, which says so of itself.",
)
OPEN_PENDING_JOBS = Limit(
    3, errors.TOO_MANY_PENDING, "https://github.com/Quantinuum/pytket-qiskit/issues/498", "2025-06", "Of an instance."
)

CONTROL_INSTRUCTIONS: Mapping[str, int] = {
    "rz": 1,
    "delay": 1,
    "sx": 2,
    "x": 2,
    "cx": 5,
    "cz": 5,
    "ecr": 5,
    "measure": 10,
    "reset": 17,
    "init": 50,
}
"""How many instructions of the control system an instruction of a circuit counts for (the table of the page on job limits)."""

NO_CONTROL_FLOW = ("for_loop", "while_loop", "switch_case", "break_loop", "continue_loop")
"""What no backend takes of control flow: only if_test is left (the guide to dynamic circuits, as of September 2026)."""

NOT_IN_CONDITIONALS = ("measure", "measure_2", "reset")
"""What may not stand under a condition, as conditions themselves (the same guide)."""

FRACTIONAL_GATES = ("rx", "rzz")
"""Gates that no gate twirling goes with (the guide to fractional gates, as of September 2026)."""
