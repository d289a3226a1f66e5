"""The errors of the state as a whole, which are found when it is opened."""


class StateUnusable(Exception):
    """The state can't be opened. The text is one line that says why and what to do."""
