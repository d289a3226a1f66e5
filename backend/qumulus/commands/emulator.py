"""`qumulus emulator`: what no cloud offers, of the one that runs here."""

from __future__ import annotations

import typer

from . import calibrations, clock, faults, namespaces, queue, scenarios, state

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(clock.app, name="clock", help="What time it is in the cloud.")
app.add_typer(calibrations.app, name="calibrations", help="Devices that drift.")
app.add_typer(queue.app, name="queue", help="Whom else the devices serve.")
app.add_typer(faults.app, name="faults", help="What goes wrong, by rules.")
app.add_typer(scenarios.app, name="scenario", help="Clock, devices and faults, said at once by a file.")
app.add_typer(state.app, name="state", help="All that the cloud remembers.")
app.add_typer(namespaces.app, name="namespace", help="Clouds of their own in one server.")
app.add_typer(namespaces.snapshots, name="snapshot", help="States that are kept in a server.")
