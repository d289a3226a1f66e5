"""`python -I …/child`: run what the order on the standard input says. `--probe` says what this machine can isolate."""

import importlib
import sys

sys.exit(importlib.import_module("inside.launcher").main(sys.argv[1:]))
