"""A file of overrides -> overrides, in the order in which they count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from sre_obs.content import yaml
from sre_obs.content.mistakes import shown
from sre_obs.content.overrides.schema import WORDS, EnvironmentShape, OverrideShape, OverridesShape
from sre_obs.content.shape import error_free, read_shape
from sre_obs.content.yaml import Document, Map
from sre_obs.model.problem import Location, Problem, Severity


@dataclass(frozen=True, slots=True)
class Override:
    """New values of the rules whose id matches `pattern`; `node` is the block as written.

    `general` are the variables of a whole file: they go to each rule that has them.
    """

    pattern: str
    shape: OverrideShape
    node: Map
    document: Document
    location: Location
    general: bool = False


def load_overrides(
    path: Path, *, name: str = "", environment: str = ""
) -> tuple[tuple[Override, ...], list[Problem]]:
    """The overrides of a file in its order, those of the environment last; none of them if
    the file has an error."""
    return _read(*yaml.load(path, name=name), environment)


def parse_overrides(
    text: str | bytes, file: str = "overrides.yml", *, environment: str = ""
) -> tuple[tuple[Override, ...], list[Problem]]:
    """The overrides of a text."""
    return _read(*yaml.parse(text, file), environment)


def load_environments(
    path: Path, *, name: str = "", most: int = 100
) -> tuple[tuple[tuple[Override, ...], ...], list[Problem]]:
    """The overrides of a file as they are without an environment, then in each of its first
    environments, `most` of them."""
    document, problems = yaml.load(path, name=name)
    shape, wrong = read_shape(document, OverridesShape, WORDS)
    problems = problems + wrong
    if shape is None or not error_free(problems):
        return (), problems
    chosen = ("", *list(shape.environments)[:most])
    return tuple(_chosen(document, shape, environment) for environment in chosen), problems


def _read(
    document: Document, problems: list[Problem], environment: str
) -> tuple[tuple[Override, ...], list[Problem]]:
    shape, wrong = read_shape(document, OverridesShape, WORDS)
    problems = problems + wrong
    if shape is None or not error_free(problems):
        return (), problems
    assert isinstance(document.root, Map)
    written = isinstance(document.root.get("environments"), Map)
    if environment and environment not in shape.environments and written:
        place = document.key(document.root, "environments")
        problems.append(_unknown(document, place, environment, shape.environments))
    return _chosen(document, shape, environment), problems


def _chosen(document: Document, shape: OverridesShape, environment: str) -> tuple[Override, ...]:
    """What holds in an environment, its own last."""
    assert isinstance(document.root, Map)
    found = list(_block(document, document.root, shape))
    own = shape.environments.get(environment)
    above = document.root.get("environments")
    if own is not None and isinstance(above, Map):
        block = above[environment]
        assert isinstance(block, Map)
        found += _block(document, block, own)
    return tuple(found)


def _block(document: Document, block: Map, shape: EnvironmentShape) -> Iterator[Override]:
    if shape.variables:
        place = document.key(block, "variables")
        only = OverrideShape(variables=None).model_copy(update={"variables": shape.variables})
        yield Override("*", only, block, document, place, general=True)
    rules = block.get("rules")
    for pattern, own in shape.rules.items():
        assert isinstance(rules, Map)
        node = rules[pattern]
        assert isinstance(node, Map)
        yield Override(pattern, own, node, document, document.key(rules, pattern))


def _unknown(
    document: Document, place: Location, environment: str, known: Mapping[str, object]
) -> Problem:
    near = get_close_matches(environment, known, n=1)
    remedy = f"set environment to {near[0]}" if near else f"there are: {', '.join(known)}"
    return document.problem(
        "overrides/unknown-environment",
        place,
        f"the environment {shown(environment)} is not among them",
        remedy,
        Severity.WARNING,
    )
