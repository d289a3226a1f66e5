"""Files that describe devices, as a person keeps them: read with limits, and sent in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from qumulus.core.errors import InvalidRequest, TooLarge

FILE_BYTES = 32 << 20
MOST_FILES = 2000
BATCH_BYTES = 8 << 20
BATCH_DOCUMENTS = 500
READ = {".json", ".yaml", ".yml"}
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Document = dict[str, Any]


def documents(paths: Sequence[Path]) -> list[Document]:
    """Return what all files say; a date in a file's path is that of a document that has none.

    Raises:
        InvalidRequest, TooLarge
    """
    found = [each for path in paths for each in _files(path)]
    if not found:
        raise InvalidRequest("There is no JSON and no YAML file there.")
    if len(found) > MOST_FILES:
        raise TooLarge(f"There are {len(found):,} files: name at most {MOST_FILES:,} at once.")
    return [_dated(document, path) for path in found for document in _read(path)]


def batches(found: Sequence[Document]) -> Iterator[list[Document]]:
    """Return the documents in parts that a request can hold: first whatever says what a device is, with properties of each."""
    first: list[Document] = []
    later: list[Document] = []
    begun: set[object] = set()
    for document in found:
        name = document.get("backend_name")
        if _properties(document) and name in begun:
            later.append(document)
        else:
            first.append(document)
            begun |= {name} if _properties(document) else set()
    yield first
    size, batch = 0, []
    for document in later:
        length = len(json.dumps(document))
        if batch and (size + length > BATCH_BYTES or len(batch) == BATCH_DOCUMENTS):
            yield batch
            size, batch = 0, []
        size, batch = size + length, [*batch, document]
    if batch:
        yield batch


def _files(path: Path) -> Iterable[Path]:
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.suffix in READ and each.is_file())


def _properties(document: Document) -> bool:
    return "qubits" in document and "gates" in document and "n_qubits" not in document and "topology" not in document


def _read(path: Path) -> list[Document]:
    if path.stat().st_size > FILE_BYTES:
        raise TooLarge(f"{path} has more than {FILE_BYTES >> 20} MiB: no device takes as much.")
    try:
        text = path.read_text("utf-8")
        value = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (OSError, ValueError, RecursionError) as error:
        why = str(error).splitlines()[0] if str(error) else "it is too deep"
        raise InvalidRequest(f"{path} can't be read: {why}.") from None
    if isinstance(value, str):  # a document that was encoded twice, as a client's encoder is easily used
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    several = value if isinstance(value, list) else [value]
    described: list[Document] = [each for each in several if isinstance(each, dict)]
    if len(described) < max(1, len(several)):
        raise InvalidRequest(f"{path} has something in it that is no object: it describes no device.")
    return described


def _yaml(text: str) -> Any:
    import yaml

    class Plain(yaml.SafeLoader):
        """No aliases: a few lines with them may stand for gigabytes."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("aliases are not read here: write the value again")
            return super().compose_node(parent, index)

        yaml_implicit_resolvers = {  # noqa: RUF012
            letter: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
            for letter, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    loader = Plain(text)
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    finally:
        loader.dispose()


def _dated(document: Document, path: Path) -> Document:
    found = DATE.findall(str(path))
    if not found:
        return document
    if "topology" in document:
        member = "calibrated"
    elif "couplings" in document:
        member = "calibrated_at"
    else:
        member = "last_update_date" if _properties(document) else ""
    return document if not member or document.get(member) else document | {member: found[-1]}
