"""The site is built from the pages: what leads nowhere is an error, search needs no server, and every page is in a list."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from qumulus.openapi.jobs import REPOSITORY

DOCS = REPOSITORY / "docs"
FLAGS = ("--quiet", "--fail-on-warning", "--keep-going", "--nitpicky", "--builder", "html")
START = "# Start\n\n## A part\n\n[there](#a-part)\n"


def built(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Build a site of one page, with the settings of ours."""
    source = folder / "docs"
    source.mkdir()
    shutil.copy(DOCS / "conf.py", source)
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    (source / "index.md").write_text(text)
    command = [sys.executable, "-m", "sphinx", *FLAGS, str(source), str(folder / "site")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_page_is_built_with_a_search_that_asks_nobody(tmp_path):
    done = built(tmp_path, START)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "search.html").read_text()
    assert (tmp_path / "site" / "searchindex.js").exists()
    loaded = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', page)
    assert loaded
    assert not [address for address in loaded if address.startswith(("http:", "https:", "//"))]


def test_what_leads_nowhere_is_an_error(tmp_path):
    links = ("[gone](page.md)", "[gone](#anchor)", "[gone](index.md#heading)", "![gone](picture.png)")
    done = built(tmp_path, START + "\n\n".join(links) + "\n")
    assert done.returncode == 1
    assert all(name in done.stderr for name in ("page.md", "anchor", "heading", "picture.png")), done.stderr


def test_every_page_is_in_one_list():
    listed = re.findall(r"^([\w/-]+)$", (DOCS / "index.md").read_text(), re.MULTILINE)
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages)


def test_every_link_of_the_readmes_leads_to_a_file_and_its_heading():
    for page in (REPOSITORY / "README.md", REPOSITORY / "examples" / "README.md", REPOSITORY / "AGENTS.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            name, _, anchor = target.partition("#")
            if "://" in name:
                continue
            path = page.parent / name
            assert path.exists(), target
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE) if anchor else []
            named = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert not anchor or anchor in named, target
