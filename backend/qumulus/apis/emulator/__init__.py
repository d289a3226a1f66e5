"""Qumulus' own API: what runs here, whether it is well, what it has done."""
