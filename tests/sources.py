"""Sources of what upstream publishes in no package registry, for tests that run it unedited."""

from __future__ import annotations

import os

import pytest


def source_of(variable: str, repository: str) -> str:
    """Return the checkout, or the git repository, that a variable names; without one, the test is skipped with the reason."""
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"no package registry has {repository}: name a checkout, or a git repository, of it in {variable}")
    return named
