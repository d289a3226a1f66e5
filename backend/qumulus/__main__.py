"""`python -m qumulus` is the command `qumulus`."""

from .cli import main

main()
