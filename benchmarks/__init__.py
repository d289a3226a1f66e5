"""Measurements, as ratios taken side by side in one run. `make bench` prints the tables with their targets."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # as pytest does: its helpers name each other so
