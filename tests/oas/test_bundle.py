"""Split files to one document, and what is refused on the way."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from qumulus.openapi import generate, yaml12
from qumulus.openapi.bundle import BundleError, bundle
from qumulus.openapi.jobs import REPOSITORY, apis
from tools import program

SAMPLE = Path(__file__).parent / "sample" / "oas" / "root.yaml"
ROOTS = [SAMPLE, *(REPOSITORY / api.root for api in apis())]
REDOCLY = "@redocly/cli@2.77.0"
HEAD = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\n"


def tree(folder: Path, **files: str) -> Path:
    """Write a small tree; `paths/x.yaml` is given as ``paths_x``. Returns its root."""
    for name, text in files.items():
        path = folder / f"{name.replace('_', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / "root.yaml"


def with_schema(folder: Path, reference: str, **files: str) -> Path:
    """A tree whose one answer has the schema that ``reference`` names."""
    answer = f"{{description: ok, content: {{application/json: {{schema: {{$ref: '{reference}'}}}}}}}}"
    item = f"root:\n  get:\n    operationId: getA\n    responses:\n      '200': {answer}\n"
    return tree(folder, root=f"{HEAD}paths:\n  /a: {{$ref: paths/a.yaml#/root}}\n", paths_a=item, **files)


def test_names_keep_their_dots_and_paths_are_inlined() -> None:
    document = bundle(SAMPLE)
    assert "job.JobId" in document["components"]["schemas"]
    assert "error.responses.NotFound" in document["components"]["responses"]
    parameter = document["paths"]["/jobs/{jobId}"]["parameters"][0]
    assert parameter["schema"] == {"$ref": "#/components/schemas/job.JobId"}


def test_discriminator_mappings_point_into_the_bundle() -> None:
    operation = bundle(SAMPLE)["components"]["schemas"]["job.Operation"]
    assert operation["discriminator"]["mapping"] == {
        "sampling": "#/components/schemas/job.Sampling",
        "estimation": "#/components/schemas/job.Estimation",
    }


def test_two_bundlings_are_the_same_to_the_byte() -> None:
    assert yaml12.write(bundle(SAMPLE)) == yaml12.write(bundle(SAMPLE))


def test_what_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    values = [
        "1e7",
        "on",
        "yes",
        "2024-01-01",
        "0o17",
        "010",
        "1_000",
        "~",
        "",
        "12:30:45",
        "=",
        "<<",
        "null",
        "a\nb\n",
        " x",
    ]
    numbers = [10_000_000, 1.0, 1e-5, 1e22, -0.5, True, None]
    text = yaml12.write({"values": values, "numbers": numbers})
    assert yaml12.read(text.encode()) == {"values": values, "numbers": numbers}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e7", 10_000_000), ("0o17", 15), ("0x1f", 31), ("010", 10), ("on", "on"), ("No", "No"), ("2024-01-01", "2024-01-01"),
     ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("~", None), ("TRUE", True), ("1.0", 1.0), ("-.INF", float("-inf"))],
)  # fmt: skip
def test_words_mean_what_version_1_2_says(text: str, value: Any) -> None:
    read = yaml12.read(text.encode())
    assert (read, type(read)) == (value, type(value))


def test_examples_are_data_even_where_they_look_like_references(tmp_path: Path) -> None:
    schema = "a.A:\n  type: object\n  example: {$ref: nowhere.yaml#/x}\n"
    document = bundle(with_schema(tmp_path, "../schemas/a.yaml#/a.A", schemas_a=schema))
    assert document["components"]["schemas"]["a.A"]["example"] == {"$ref": "nowhere.yaml#/x"}


@pytest.mark.parametrize(
    ("reference", "schemas", "sentence"),
    [
        ("../schemas/b.yaml#/a.A", {}, "paths/a.yaml: ../schemas/b.yaml#/a.A names a file that is not there."),
        (
            "../schemas/a.yaml#/a.B",
            {"schemas_a": "a.A: {type: string}\n"},
            "paths/a.yaml: ../schemas/a.yaml#/a.B names nothing: schemas/a.yaml has no a.B.",
        ),
        (
            "#/components/schemas/a.A",
            {"schemas_a": "a.A: {type: string}\n"},
            "paths/a.yaml: #/components/schemas/a.A names nothing: paths/a.yaml has no a.A.",
        ),
        (
            "../schemas/a.yaml#/a.A/properties/b",
            {"schemas_a": "a.A: {type: object, properties: {b: {type: string}}}\n"},
            (
                "paths/a.yaml: ../schemas/a.yaml#/a.A/properties/b reaches inside a definition. "
                "Make what it names a top-level key of its file, and reference that."
            ),
        ),
        (
            "../schemas/a.yaml#/a.A",
            {
                "schemas_a": "a.A: {type: object, properties: {b: {$ref: b.yaml#/a.A}}}\n",
                "schemas_b": "a.A: {type: string}\n",
            },
            "a.A is defined twice: in schemas/a.yaml and in schemas/b.yaml.",
        ),
        (
            "../schemas/a.yaml#/a.A",
            {"schemas_a": "a.A: {type: array, items: {$ref: '#/a.B', description: B}}\na.B: {type: string}\n"},
            (
                "schemas/a.yaml: description beside $ref #/a.B would be ignored by OpenAPI 3.0. "
                "Put the reference into allOf, or move the rest into what is referenced."
            ),
        ),
        (
            "../schemas/a.yaml#/a.A",
            {"schemas_a": "a.A: {$ref: '#/a.B'}\na.B: {$ref: '#/a.A'}\n"},
            "schemas/a.yaml: a.A is only a reference to itself.",
        ),
        (
            "../schemas/a.yaml#/a.A",
            {"schemas_a": "a.A: {type: string}\na.A: {type: integer}\n"},
            "schemas/a.yaml is not valid YAML: line 2 names a.A a second time.",
        ),
    ],
)
def test_what_makes_no_document_is_refused_with_the_file(
    tmp_path: Path, reference: str, schemas: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BundleError) as raised:
        bundle(with_schema(tmp_path, reference, **schemas))
    assert str(raised.value) == sentence


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: str(root.parent.relative_to(REPOSITORY)))
def test_the_bundle_equals_that_of_the_standard_bundler(root: Path, tmp_path: Path) -> None:
    npx = program("npx", needed_in_ci=True)
    out = tmp_path / "openapi.json"
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    subprocess.run(
        [npx, "--yes", REDOCLY, "bundle", str(root), "--ext", "json", "-o", str(out)],
        check=True,
        capture_output=True,
        env={**os.environ, **quiet},
    )
    ours, theirs = bundle(root), json.loads(out.read_text())
    assert ours == theirs


def test_a_change_by_hand_is_found_and_shown(sample_tree: Path) -> None:
    chosen = apis(repository=sample_tree)
    documents = generate.bundles(chosen, sample_tree)
    changed = sample_tree / "oas" / "openapi.yaml"
    text = changed.read_text()
    try:
        changed.write_text(text.replace("title: Sample", "title: Simple"))
        found = generate.differences(documents, [], sample_tree)
    finally:
        changed.write_text(text)
    assert "-  title: Simple" in found
    assert "+  title: Sample" in found
    assert generate.differences(documents, [], sample_tree) == []


def test_a_model_that_nothing_generates_any_more_is_found(sample_tree: Path) -> None:
    chosen = apis(repository=sample_tree)
    documents = generate.bundles(chosen, sample_tree)
    made = generate.models(chosen, documents, sample_tree)
    assert generate.stale(chosen, made, sample_tree) == []
    left = sample_tree / "sample_models" / "left.py"
    left.write_text("")
    try:
        assert generate.stale(chosen, made, sample_tree) == [left.relative_to(sample_tree)]
    finally:
        left.unlink()
