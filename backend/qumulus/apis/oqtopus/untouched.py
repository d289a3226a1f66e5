"""What a command will ask of OQTOPUS's clouds, as far as it can be seen beforehand."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from qumulus.apis.family import Wanted
from qumulus.interception.sites import host_name

FILES = (Path(".oqtopus"), Path(".config/oqtopus/config.ini"))


def wanted(_command: Sequence[str], _environment: Mapping[str, str], home: Path) -> Wanted:
    """The hosts (with their prefixes) of the clouds that are configured in files here."""
    urls = [url for file in FILES for url in _urls(home / file)]
    parts = [urlsplit(url) for url in urls]
    hosts = [
        f"{part.hostname}{part.path}" for part in parts if part.scheme == "https" and host_name(part.hostname or "")
    ]
    return Wanted(hosts=tuple(dict.fromkeys(hosts)))


def _urls(file: Path) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return
    for section in parser.sections():
        yield from (parser[section][name] for name in ("url", "base_url") if name in parser[section])
