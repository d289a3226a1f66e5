"""Quantum backends and jobs of the Kipu Quantum Hub."""
