"""Limits: of this server, of one run, and of IBM's service."""

from __future__ import annotations

from collections.abc import Iterator

from qumulus.core.programs import Limits
from qumulus.payloads import runtime_limits
from qumulus.settings import Settings

from .markdown import sentence, table

SETTINGS = (
    "worker_memory_mib", "job_seconds", "pub_budget_seconds", "job_budget_seconds", "simulations", "service_slots",
    "service_seconds", "service_memory_mib", "max_body_mib", "max_connections", "max_address_connections", "request_seconds",
)  # fmt: skip
MIB = 1 << 20


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "Two kinds of limits hold. This server has its own, which protect the machine. IBM's service has others, which are emulated"
    yield "unless `--ibm-limits off` is set. [How jobs run](../execution.md) says what happens at each of the first kind;"
    yield "[what IBM's service counts and refuses](../ibm.md) at each of the second."
    yield from ("", "## Of the server, as settings", "")
    fields = Settings.model_fields
    rows = [
        (f"`--{name.replace('_', '-')}`", fields[name].default, sentence(fields[name].description or ""))
        for name in SETTINGS
        if name in fields
    ]
    yield from table(
        ("setting", "default", "what it limits"),
        [(flag, "" if value is None else f"{value:g}", told) for flag, value, told in rows],
    )
    yield from ("## Of one program, fixed", "")
    fixed = Limits()
    yield from table(
        ("what", "at most"),
        (
            ("qubits that a program declares, registers together", f"{fixed.qubits:,}"),
            ("a program once it is decompressed", f"{fixed.decompressed_bytes // MIB} MiB"),
            ("a result", f"{fixed.result_bytes // MIB:,} MiB"),
        ),
    )
    yield from ("## Of IBM's service", "", "The code is in [the table of errors](errors.md#codes-of-ibm-quantum).", "")
    yield from table(("limit", "value", "code", "said by, as of", "note"), _of_the_service())


def _of_the_service() -> Iterator[tuple[str, str, str, str, str]]:
    for name, limit in vars(runtime_limits).items():
        if isinstance(limit, runtime_limits.Limit):
            value = (
                "not enforced"
                if limit.value is None
                else f"{limit.value:,g}"
                if limit.value < 1e6
                else f"{limit.value:,.0f}"
            )
            source = limit.source.rpartition("/")[2]
            code = "" if limit.code is None else str(limit.code)
            yield name.replace("_", " ").lower(), value, code, f"[{source}]({limit.source}), {limit.as_of}", limit.note
