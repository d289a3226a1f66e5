"""How the site is made of these pages: `make docs`. Sphinx reads Markdown as repositories show it (MyST), and Furo lays it out."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = "Qumulus"
author = "The developers of Qumulus"
release = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser"]
exclude_patterns = ["generators"]
myst_heading_anchors = 4
"""Headings down to this level can be linked to, by the same names as where the repository is shown."""
myst_enable_extensions = ["attrs_inline"]
suppress_warnings = ["misc.highlighting_failure"]
"""A snippet may have an ellipsis where a value goes."""
nitpicky = True

html_theme = "furo"
html_title = f"Qumulus {release}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}
html_extra_path: list[str] = []
pygments_style = "friendly"
pygments_dark_style = "monokai"
