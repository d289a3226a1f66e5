"""All that the server remembers."""

from __future__ import annotations

from qumulus.apis.dependencies import Keeping, Listening, State
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.state import Forgotten, Storage
from .translate import state as translate

operation = Operations()


@operation("resetState")
def reset_state(administrator: Administrator, state: State, listening: Listening) -> Forgotten:
    """Forget it."""
    forgotten = state.reset()
    listening.settle()
    return translate.forgotten(forgotten)


@operation("getStorage")
def get_storage(administrator: Administrator, keeping: Keeping) -> Storage:
    """Who has what."""
    return translate.storage(keeping)
