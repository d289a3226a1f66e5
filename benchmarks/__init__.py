"""Measurements, as ratios taken side by side in one run. `make bench` prints the tables with their targets."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QUMULUS_SSE_PREPARE", "off")  # nothing is measured beside an installation
sys.path.append(str(Path(__file__).parents[1] / "tests"))  # as pytest does: its helpers name each other so
