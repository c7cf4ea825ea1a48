"""The JSON Schemas in rules/schema: fresh, and our own files are right by them.

Renew them with ``pytest tests/content/test_editors.py --update-goldens``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sre_obs.content import yaml
from sre_obs.content.editors import SCHEMAS, json_schema
from tests.content.test_rules import COUNT, GOOD, MEASURED

RULES = Path(__file__).parents[2] / "rules"
_TYPES: Mapping[str, Any] = {
    "string": str,
    "object": dict,
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def wrong(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> Iterator[str]:
    """What a value breaks of a schema, as far as ours go."""
    if "$ref" in schema:
        yield from wrong(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(
        isinstance(value, _TYPES[t]) and (t == "boolean" or not isinstance(value, bool))
        for t in types
    ):
        yield f"{value!r} is no {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not one of {schema['enum']}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{value!r} does not match {schema['pattern']}"
    if isinstance(value, int | float) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{value} is out of bounds"
    if "anyOf" in schema and all(list(wrong(one, value, root)) for one in schema["anyOf"]):
        yield f"{value!r} is none of {schema['anyOf']}"
    for one in schema.get("allOf", ()):
        yield from wrong(one, value, root)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from wrong(schema["items"], item, root)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        yield from (f"{key} is missing" for key in schema.get("required", ()) if key not in value)
        more = schema.get("additionalProperties", True)
        for key, inner in value.items():
            if key in known:
                yield from wrong(known[key], inner, root)
            elif more is False:
                yield f"no such key: {key}"
            elif isinstance(more, dict):
                yield from wrong(more, inner, root)


def broken(name: str, text: str) -> list[str]:
    document, _ = yaml.parse(text, "x.yml")
    assert document.root is not None
    schema = json_schema(name)
    return list(wrong(schema, yaml.plain(document.root), schema))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_in_the_folder_of_rules_is_fresh(
    name: str, request: pytest.FixtureRequest
) -> None:
    file = RULES / "schema" / f"{name}.schema.json"
    text = json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--update-goldens"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def test_there_is_no_schema_that_nobody_makes() -> None:
    assert {path.name for path in (RULES / "schema").iterdir()} == {
        f"{name}.schema.json" for name in SCHEMAS
    }


@pytest.mark.parametrize("text", [GOOD, COUNT, MEASURED])
def test_a_good_rule_is_right_by_its_schema(text: str) -> None:
    assert broken("rule", text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + "severty: x\n", "no such key: severty"),
        (GOOD + "for: 5\n", "5 is out of bounds"),
        (GOOD + "for: 5x\n", "'5x' does not match"),
        (GOOD + "from: 5m\n", "'5m' does not match"),
        (GOOD.replace("warning", "high"), "'high' is not one of"),
        (GOOD.replace("severity: warning", ""), "severity is missing"),
        (COUNT.replace("limit: 5", "limit: five"), "'five' is no"),
        (MEASURED.replace("function: avg", "function: average"), "'average' is not one of"),
        (MEASURED.replace("over: max", "ovr: max"), "no such key: ovr"),
    ],
)
def test_an_editor_underlines_what_is_wrong(text: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in broken("rule", text))


def _files() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(RULES.rglob("*.yml")):
        top = path.relative_to(RULES).parts[0]
        kind = "telemetry" if top == "telemetry" else "rule"
        found.append(("test" if path.name.endswith(".test.yml") else kind, path))
    return found


@pytest.mark.parametrize(("name", "path"), [pytest.param(*one, id=one[1].name) for one in _files()])
def test_our_own_files_are_right_by_their_schemas(name: str, path: Path) -> None:
    assert broken(name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_key_of_a_rule_says_what_it_is(name: str) -> None:
    schema = json_schema(name)
    assert schema["$schema"].startswith("http://json-schema.org/draft-07/")
    if name == "rule":
        blocks = [schema, *schema["$defs"].values()]
        silent = [k for b in blocks for k, v in b["properties"].items() if "description" not in v]
        assert silent == []
