"""What a notebook shows of a cloud, a job and a device: HTML for its cells, text elsewhere. All that comes from the cloud is escaped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from . import results

MOST_BARS = 16
COLOURS = {"succeeded": "#1a7f37", "failed": "#cf222e", "cancelled": "#6e7781"}
GOOD, BAD = (45, 164, 78), (207, 34, 46)
SPACING, RADIUS = 36, 13


class View(ABC):
    """Something to show; `data` is what the cloud answered."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    @abstractmethod
    def _repr_html_(self) -> str: ...


class StatusView(View):
    """Where the cloud is, and what it has done."""

    def __init__(self, url: str, data: Mapping[str, Any], *, own: bool) -> None:
        super().__init__(data)
        self.url, self.own = url, own

    def __repr__(self) -> str:
        whose = "a cloud of this kernel" if self.own else "a cloud"
        return f"Qumulus at {self.url}, {whose}: {self._jobs()}"

    def _repr_html_(self) -> str:
        console = escape(f"{self.url}/console", quote=True)
        return f'<b>Qumulus</b> at {escape(self.url)}: {escape(self._jobs())}. <a href="{console}">Open the console</a>'

    def _jobs(self) -> str:
        held = self.data["held"]
        kept, pending = (sum(each[name] for each in held) for name in ("count", "pending"))
        return f"{kept} jobs, {pending} of them not ended" if kept else "no jobs yet"


class JobsView(View):
    """The newest jobs."""

    def __init__(self, jobs: Sequence[Mapping[str, Any]]) -> None:
        super().__init__({"jobs": jobs})
        self.jobs = jobs

    def __repr__(self) -> str:
        return "\n".join(f"{job['id']}  {job['state']:10} {job['device']}" for job in self.jobs) or "no jobs yet"

    def _repr_html_(self) -> str:
        heads = ("id", "api", "device", "state", "created_at")
        return table(heads, ([job.get(name) for name in heads] for job in self.jobs))


class JobView(View):
    """One job: its states, how it was simulated, its result, why it failed."""

    def __init__(self, job: Mapping[str, Any], result: object) -> None:
        super().__init__(job)
        self.id: str = job["id"]
        self.state: str = job["state"]
        self.reason: str | None = job.get("reason")
        self.counts = results.counts(result)
        self.values = results.values(result)

    def __repr__(self) -> str:
        told = f"Job {self.id} on {self.data['device']}: {self.state}"
        return f"{told}\n{self.reason}" if self.reason else told

    def _repr_html_(self) -> str:
        colour = COLOURS.get(self.state, "#0969da")
        head = f'<b>{escape(self.id)}</b> on {escape(self.data["device"])} <b style="color:{colour}">{escape(self.state)}</b>'
        parts = [f"<div>{head}</div>"]
        if self.reason:
            parts.append(f"<div>{escape(self.reason)}</div>")
        if self.counts:
            parts.append(bars(self.counts))
        if self.values:
            rows = (
                [number, f"{each.value:.4f} ± {each.error:.4f}"] for number, each in enumerate(self.values[:MOST_BARS])
            )
            parts.append(table(("value", ""), rows))
        when = {name.removesuffix("_at"): self.data.get(name) for name in ("created_at", "running_at", "ended_at")}
        return "".join([*parts, table(("", ""), [*when.items(), *self._simulated()])])

    def _simulated(self) -> Iterable[tuple[str, object]]:
        known = self.data.get("metadata") or {}
        first = (known.get("pubs") or [known])[0]
        return [
            (name, first.get(name))
            for name in ("method", "approximation", "noise", "seed")
            if first.get(name) is not None
        ]


class DeviceView(View):
    """A device as a coupling map, coloured by the readout error, with its medians."""

    def __init__(self, device: Mapping[str, Any], calibration: Mapping[str, Any]) -> None:
        super().__init__(device)
        self.name: str = device["name"]
        self.qubits: Sequence[Mapping[str, Any]] = calibration.get("qubits") or ()
        self.pairs = sorted(
            {tuple(sorted(gate["qubits"])) for gate in calibration.get("gates") or () if len(gate["qubits"]) == 2}
        )

    def __repr__(self) -> str:
        return f"{self.name}: {self.data['n_qubits']} qubits, {self.data['description']}"

    def _repr_html_(self) -> str:
        names = ("t1_us", "t2_us", "readout_error")
        medians = {
            name: median([qubit[name] for qubit in self.qubits if qubit.get(name) is not None]) for name in names
        }
        rows = [
            ("qubits", self.data["n_qubits"]),
            ("gates", ", ".join(self.data["basis_gates"])),
            ("calibrated", self.data.get("calibrated_at")),
            *((f"median {name}", f"{value:.4g}") for name, value in medians.items() if value is not None),
        ]
        return f"<b>{escape(self.name)}</b>{self._map()}{table(('', ''), rows)}"

    def _map(self) -> str:
        placed = [qubit["at"] for qubit in self.qubits if qubit.get("at") is not None]
        if not placed or len(placed) < len(self.qubits):
            return ""
        left, top = min(at[0] for at in placed), min(at[1] for at in placed)
        points = [((at[0] - left) * SPACING + 20, (at[1] - top) * SPACING + 20) for at in placed]
        worst = max((qubit.get("readout_error") or 0.0 for qubit in self.qubits), default=0.0)
        lines = [
            f'<line x1="{points[a][0]:g}" y1="{points[a][1]:g}" x2="{points[b][0]:g}" y2="{points[b][1]:g}" stroke="#8c959f"/>'
            for a, b in self.pairs
        ]
        dots = [
            dot(*point, number, qubit.get("readout_error"), worst)
            for number, (point, qubit) in enumerate(zip(points, self.qubits, strict=True))
        ]
        width, height = (max(point[axis] for point in points) + 20 for axis in (0, 1))
        label = f"Coupling map of {self.name}, coloured by readout error"
        return (
            f'<svg role="img" aria-label="{escape(label, quote=True)}" width="{width:g}" height="{height:g}" style="display:block;max-width:100%" '
            f'viewBox="0 0 {width:g} {height:g}">{"".join(lines + dots)}</svg>'
        )


def dot(x: float, y: float, number: int, error: float | None, worst: float) -> str:
    """Return a qubit of the map, from green to red."""
    part = min(1.0, (error or 0.0) / worst) if worst else 0.0
    colour = ",".join(str(round(low + (high - low) * part)) for low, high in zip(GOOD, BAD, strict=True))
    told = "" if error is None else f", readout error {error:.4g}"
    return (
        f'<g><title>Qubit {number}{told}</title><circle cx="{x:g}" cy="{y:g}" r="{RADIUS}" fill="rgb({colour})"/>'
        f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle" font-size="11" fill="#fff">{number}</text></g>'
    )


def bars(counts: Mapping[str, int]) -> str:
    """Return counts as bars, the most frequent outcomes first in number, all in their order."""
    shown = dict(sorted(sorted(counts.items(), key=lambda item: -item[1])[:MOST_BARS]))
    total, most = sum(counts.values()), max(counts.values())
    rows = "".join(
        f'<tr><td style="font-family:monospace">{escape(outcome)}</td><td style="text-align:left">'
        f'<div style="background:#0969da;height:0.8em;width:{200 * number / most:.0f}px"></div></td><td>{number}</td></tr>'
        for outcome, number in shown.items()
    )
    rest = f"<div>{len(counts) - len(shown)} more outcomes</div>" if len(counts) > len(shown) else ""
    return f"<table><caption>{total} shots</caption>{rows}</table>{rest}"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of HTML; what is None is empty."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads) if any(heads) else ""
    body = "".join(
        "<tr>" + "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def median(numbers: Sequence[float]) -> float | None:
    """Return the median; None of nothing."""
    if not numbers:
        return None
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(numbers) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
