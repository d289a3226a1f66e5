"""Split files to one document: `root.yaml`, `paths/*.yaml` and `schemas/*.yaml` become `openapi.yaml`.

Every reusable thing is a top-level key of a file and is referenced as ``<file>.yaml#/<name>``. The bundle keeps the
name, dots included (``task.TaskId`` becomes ``#/components/schemas/task.TaskId``): the generator makes one module a
resource from it. What a reference stands for (a schema, a response, a parameter …) follows from where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from . import yaml12

# The objects of OpenAPI 3.0 in which references can stand: member -> kind of its value. "[X]" is a list of X and "{X}"
# a map to X. What is not named here (examples, defaults, extensions) is data and is never looked into.
GRAMMAR: Mapping[str, Mapping[str, str]] = {
    "root": {"paths": "{path}", "components": "components"},
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "examples": "{example}",
        "requestBodies": "{requestBody}",
        "headers": "{header}",
        "securitySchemes": "{securityScheme}",
        "links": "{link}",
        "callbacks": "{callback}",
    },
    "path": {"parameters": "[parameter]"}
    | dict.fromkeys(("get", "put", "post", "delete", "options", "head", "patch", "trace"), "operation"),
    "operation": {
        "parameters": "[parameter]",
        "requestBody": "requestBody",
        "responses": "{response}",
        "callbacks": "{callback}",
    },
    "parameter": {"schema": "schema", "content": "{media}", "examples": "{example}"},
    "header": {"schema": "schema", "content": "{media}", "examples": "{example}"},
    "requestBody": {"content": "{media}"},
    "response": {"headers": "{header}", "content": "{media}", "links": "{link}"},
    "media": {"schema": "schema", "examples": "{example}", "encoding": "{encoding}"},
    "encoding": {"headers": "{header}"},
    "schema": {
        "allOf": "[schema]",
        "anyOf": "[schema]",
        "oneOf": "[schema]",
        "not": "schema",
        "items": "schema",
        "properties": "{schema}",
        "additionalProperties": "schema",
        "discriminator": "discriminator",
    },
    "callback": {},
    "discriminator": {},
    "example": {},
    "link": {},
    "securityScheme": {},
}
SECTIONS = {kind.strip("{}"): section for section, kind in GRAMMAR["components"].items()}


class BundleError(Exception):
    """The split files do not make one document; the text names the file."""


@dataclass
class _Bundler:
    """One bundling. ``owners`` says which file gave a component, to tell a second use from a second definition."""

    top: Path
    files: dict[Path, Any] = field(default_factory=dict)
    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    owners: dict[tuple[str, str], Path] = field(default_factory=dict)

    def document(self, root: Path) -> dict[str, Any]:
        content = self.file(root)
        own = content.get("components", {})
        for section, entries in own.items():
            for name in entries:
                self.owners[section, name] = root
        document = self.resolved(content, "root", root)
        for section, entries in document.pop("components", {}).items():
            self.components.setdefault(section, {}).update(entries)
        sections = [section for section in GRAMMAR["components"] if self.components.get(section)]
        document["components"] = {section: dict(sorted(self.components[section].items())) for section in sections}
        return document

    def file(self, path: Path) -> Any:
        if path not in self.files:
            try:
                self.files[path] = yaml12.read(path.read_bytes())
            except (yaml.YAMLError, yaml12.DoubleKey) as error:
                raise BundleError(f"{self.name(path)} is not valid YAML: {error}.") from error
        return self.files[path]

    def name(self, path: Path) -> str:
        return path.relative_to(self.top).as_posix() if path.is_relative_to(self.top) else str(path)

    def resolved(self, node: Any, kind: str, file: Path) -> Any:
        """``node`` with all references of its inside pointing into the bundle."""
        if kind.startswith("["):
            return [self.resolved(each, kind[1:-1], file) for each in node] if isinstance(node, list) else node
        if not isinstance(node, dict):
            return node
        if kind.startswith("{"):
            return {key: self.resolved(value, kind[1:-1], file) for key, value in node.items()}
        if isinstance(node.get("$ref"), str):
            return self.reference(node, kind, file)
        if kind == "discriminator" and "mapping" in node:
            targets = {value: self.component(target, "schema", file) for value, target in node["mapping"].items()}
            return node | {"mapping": targets}
        inner = GRAMMAR[kind]
        return {key: self.resolved(value, inner[key], file) if key in inner else value for key, value in node.items()}

    def reference(self, node: dict[str, Any], kind: str, file: Path) -> Any:
        if len(node) > 1:
            others = ", ".join(key for key in node if key != "$ref")
            raise BundleError(
                f"{self.name(file)}: {others} beside $ref {node['$ref']} would be ignored by OpenAPI 3.0. "
                "Put the reference into allOf, or move the rest into what is referenced."
            )
        if kind == "path":
            target, _, content = self.target(node["$ref"], file)
            return self.resolved(content, kind, target)
        return {"$ref": self.component(node["$ref"], kind, file)}

    def component(self, reference: str, kind: str, file: Path) -> str:
        """Return where ``reference`` stands in the bundle, after putting the component there when it is first met."""
        if kind not in SECTIONS:
            raise BundleError(f"{self.name(file)}: {reference} stands where OpenAPI has no references ({kind}).")
        section = SECTIONS[kind]
        path, name, content = self.end(reference, file)
        pointer = f"#/components/{section}/{name}"
        owner = self.owners.setdefault((section, name), path)
        if owner != path:
            raise BundleError(f"{name} is defined twice: in {self.name(owner)} and in {self.name(path)}.")
        entries = self.components.setdefault(section, {})
        if name not in entries and not reference.startswith("#/components/"):
            entries[name] = None  # met: a schema may contain itself
            entries[name] = self.resolved(content, kind, path)
        return pointer

    def end(self, reference: str, file: Path) -> tuple[Path, str, Any]:
        """Return the target of ``reference``, or of the reference that stands there instead, and so on."""
        seen: set[tuple[Path, str]] = set()
        path, name, content = self.target(reference, file)
        while isinstance(content, dict) and content.keys() == {"$ref"}:
            if (path, name) in seen:
                raise BundleError(f"{self.name(path)}: {name} is only a reference to itself.")
            seen.add((path, name))
            path, name, content = self.target(content["$ref"], path)
        return path, name, content

    def target(self, reference: str, file: Path) -> tuple[Path, str, Any]:
        """Return the file, the name and the content that ``reference``, read in ``file``, stands for."""
        where, _, pointer = reference.partition("#/")
        path = (file.parent / where).resolve() if where else file
        if not path.is_file():
            raise BundleError(f"{self.name(file)}: {reference} names a file that is not there.")
        content = self.file(path)
        parts = pointer.split("/")
        if parts[0] == "components" and len(parts) == 3:  # what root.yaml itself defines
            content = content.get("components", {}).get(parts[1], {})
        elif len(parts) > 1:
            raise BundleError(
                f"{self.name(file)}: {reference} reaches inside a definition. "
                "Make what it names a top-level key of its file, and reference that."
            )
        if not isinstance(content, dict) or parts[-1] not in content:
            raise BundleError(f"{self.name(file)}: {reference} names nothing: {self.name(path)} has no {parts[-1]}.")
        return path, parts[-1], content[parts[-1]]


def bundle(root: Path) -> dict[str, Any]:
    """Return the one document that ``root`` and the files it references make.

    Components stand sorted by name, everything else in the order of the files, so the same tree always gives the same
    bundle.

    Raises:
        BundleError: a reference names nothing, two files define the same name, a file is not valid YAML.
    """
    root = root.resolve()
    return _Bundler(root.parent).document(root)
