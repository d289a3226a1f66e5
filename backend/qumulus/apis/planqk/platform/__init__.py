"""Data pools of the platform."""
