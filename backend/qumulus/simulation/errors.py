"""What a simulation raises when the person who sent the program has to know.

ProgramError            the program is wrong, or uses what the device does not have
Refused                 the program is over a limit by its estimate; nothing was run
OverUsage               the program would have the device longer than it may; nothing was run
GaveUp                  a method gives up; the next one is tried, and only the last one's refusal is seen
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ProgramError(Exception):
    """The program cannot be run on this device, whatever the limits. ``code`` is the family's reason code."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Refused(Exception):
    """The program exceeds a limit by its estimate; ``figures`` holds the estimates of all methods, ``lines`` are for the log."""

    def __init__(self, message: str, figures: Mapping[str, object], lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.figures = figures
        self.lines = lines


class OverUsage(Exception):
    """The service would end the program, because it has had its device for as long as it may."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class GaveUp(Exception):
    """A method finds that it cannot do this circuit within its accuracy or the memory; the text is a clause."""


def of_reader(error: BaseException) -> bool:
    """Whether a library raised it over what it reads: its native code panics, which is no `Exception`."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
