"""Frames of several runs as one value."""

from __future__ import annotations

from qumulus.cluster.bundle import bundled, unbundled


def test_frames_of_any_parts_come_back_with_the_numbers_of_their_runs():
    frames = [(1, (b"{}",)), (4_000_000_000, (b"header", b"", b"x" * 70_000)), (1, (b"again", b"\x00\xff"))]
    assert unbundled(bundled(frames)) == frames


def test_nothing_was_said():
    assert unbundled(bundled([])) == []
