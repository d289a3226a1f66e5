"""All that the server remembers."""

from __future__ import annotations

from qumulus.apis.dependencies import State
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.state import Forgotten
from .translate import state as translate

operation = Operations()


@operation("resetState")
def reset_state(administrator: Administrator, state: State) -> Forgotten:
    """Forget it."""
    return translate.forgotten(state.reset())
