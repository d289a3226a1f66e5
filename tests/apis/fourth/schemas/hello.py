"""What goes out."""

from __future__ import annotations

from qumulus.openapi.wire import Wire


class Greeting(Wire):
    """Who asks."""

    hello: str


class Refusal(Wire):
    """Why nobody is greeted."""

    why: str
