"""Qumulus: a quantum cloud that runs on your own machine."""

__version__ = "0.2.0"
