"""Measurements, as ratios taken side by side in one run. `make bench` prints the tables with their targets."""
