"""The demo is `sre-obs run` with another source, clock and receiver, and nothing else: no
evaluation, routing or delivery code is reachable from the demo alone.

Read from the import graph, imports inside functions included, and from what the two
commands have loaded when they end.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Sequence
from pathlib import Path

import grimp
import pytest

from tests.house.tree import PACKAGE, run_python

DEMO = "sre_obs.app.demo"
STAGES = ("content", "evaluate", "route", "notify", "query", "adapters")

# What wires: the daemon's own parts, the settings, and what the demo puts in their place.
WIRING = {
    "sre_obs.adapters.clock",
    "sre_obs.adapters.recorded",
    "sre_obs.app.daemon.daemon",
    "sre_obs.app.daemon.desk",
    "sre_obs.app.daemon.web",
    "sre_obs.app.daemon.web.pages",
    # What happens is told in the page's words.
    "sre_obs.app.daemon.web.firing",
    "sre_obs.app.settings",
    "sre_obs.app.wiring",
}

# The demo's stand-in for an Elasticsearch: documents from files, and the in-process search
# that answers the requests that the engine sends to a real one.
OUTSIDE = ("sre_obs.adapters.recorded", "sre_obs.adapters.pglog", "sre_obs.query.search")
# The in-process search reads dates as Elasticsearch does.
OUTSIDE_TOO = {"sre_obs.query.datemath"}

# What `run` talks to a real Elasticsearch with, and the demo does not load.
REAL = "sre_obs.adapters.elasticsearch"
# `run --print-role` says what a real Elasticsearch has to allow.
RUN_ALONE = {"sre_obs.evaluate.role"}


@pytest.fixture(scope="module")
def built() -> grimp.ImportGraph:
    return grimp.build_graph("sre_obs", cache_dir=None)


@pytest.fixture
def graph(built: grimp.ImportGraph) -> grimp.ImportGraph:
    """One that a test may plant violations in."""
    return copy.deepcopy(built)


def of_stages(modules: set[str]) -> set[str]:
    return {m for m in modules if m.partition(".")[2].split(".")[0] in STAGES}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def beyond_wiring(graph: grimp.ImportGraph) -> set[str]:
    """What the demo imports besides its own modules, the nouns and what wires."""
    found: set[str] = set()
    for module in graph.modules:
        if within(module, DEMO):
            found |= graph.find_modules_directly_imported_by(module)
    ours = {m for m in found if within(m, DEMO) or within(m, "sre_obs.model")}
    return found - ours - WIRING


def from_the_demo_alone(graph: grimp.ImportGraph) -> set[str]:
    """Modules of the stages that `demo` reaches and `run` does not."""
    demo = of_stages(graph.find_upstream_modules("sre_obs.app.cli.demo"))
    run = of_stages(graph.find_upstream_modules("sre_obs.app.cli.run"))
    outside = {m for m in demo if any(within(m, package) for package in OUTSIDE)}
    return demo - run - outside - OUTSIDE_TOO


def from_run_alone(graph: grimp.ImportGraph) -> set[str]:
    """Modules of the stages that `run` reaches and `demo` does not."""
    demo = of_stages(graph.find_upstream_modules("sre_obs.app.cli.demo"))
    return of_stages(graph.find_upstream_modules("sre_obs.app.cli.run")) - demo - RUN_ALONE


def test_the_demo_imports_only_what_wires(graph: grimp.ImportGraph) -> None:
    assert beyond_wiring(graph) == set()


def test_no_stage_has_code_that_the_demo_alone_reaches(graph: grimp.ImportGraph) -> None:
    assert from_the_demo_alone(graph) == set()


def test_the_demo_goes_through_everything_that_run_goes_through(
    graph: grimp.ImportGraph,
) -> None:
    assert from_run_alone(graph) == set()


def test_the_graph_is_not_empty(graph: grimp.ImportGraph) -> None:
    reached = graph.find_upstream_modules("sre_obs.app.cli.demo")

    assert {f"{DEMO}.demo", "sre_obs.app.wiring", "sre_obs.adapters.recorded"} <= reached
    for stage in STAGES:
        assert any(within(m, f"sre_obs.{stage}") for m in reached), stage


def test_a_planted_shortcut_is_found(graph: grimp.ImportGraph) -> None:
    graph.add_import(importer=f"{DEMO}.demo", imported="sre_obs.notify.slack")

    assert beyond_wiring(graph) == {"sre_obs.notify.slack"}


@pytest.mark.parametrize("importer", [f"{DEMO}.demo", "sre_obs.adapters.recorded"])
def test_planted_code_for_the_demo_alone_is_found(graph: grimp.ImportGraph, importer: str) -> None:
    graph.add_module("sre_obs.evaluate.shortcut")
    graph.add_import(importer=importer, imported="sre_obs.evaluate.shortcut")

    assert from_the_demo_alone(graph) == {"sre_obs.evaluate.shortcut"}


def test_code_that_the_demo_leaves_out_is_found(graph: grimp.ImportGraph) -> None:
    graph.add_module("sre_obs.route.more")
    graph.add_import(importer="sre_obs.app.usecases.run", imported="sre_obs.route.more")

    assert from_run_alone(graph) == {"sre_obs.route.more"}


COMMAND = """
import atexit, json, pathlib, sys
loaded = lambda: json.dumps([name for name in sys.modules if name.startswith("sre_obs.")])
atexit.register(lambda: pathlib.Path(sys.argv[1]).write_text(loaded()))
from sre_obs.app.cli import main
main(sys.argv[2:])
"""


def loaded_by(arguments: Sequence[object], folder: Path, code: int = 0) -> set[str]:
    """Modules of the stages that a command has loaded when it ends."""
    modules = folder / f"{arguments[0]}.json"
    done = run_python(["-c", COMMAND, modules, *arguments], folder)
    assert done.returncode == code, done.stdout
    return of_stages(set(json.loads(modules.read_text())))


def test_the_two_commands_load_the_same_code_but_for_the_world_outside(tmp_path: Path) -> None:
    # Nothing listens on port 1: an engine that is blind and a Slack that is away are ways
    # through the same code.
    routes = PACKAGE / "app" / "demo" / "routes.yml"
    nowhere = "http://127.0.0.1:1"
    token = tmp_path / "token"
    token.write_text("xoxb-none")
    slack = ["--set", f"slack.token_file={token}", "--set", f"slack.api_url={nowhere}/api/"]
    source = ["--set", f"sources.default.hosts={nowhere}", *slack]
    listen = ["--listen", "127.0.0.1:0"]
    run = ["run", "--once", "--rules", "bundled", "--routes", routes, *source, *listen]

    by_demo = loaded_by(["demo", "--exit-after", "2s", *listen], tmp_path)
    # It says by its exit code that it could not search.
    by_run = loaded_by([*run, "--data", tmp_path / "data"], tmp_path, code=1)

    outside = {m for m in by_demo if any(within(m, package) for package in OUTSIDE)}
    assert outside
    assert by_demo - outside - OUTSIDE_TOO == {m for m in by_run if not within(m, REAL)}


def names_of(tree: ast.AST) -> set[str]:
    """Every name that code uses: variables, attributes, arguments, definitions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.add(value)
    return found


def test_no_code_outside_asks_whether_it_runs_in_the_demo() -> None:
    asking = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if (
            PACKAGE / "app" / "demo"
        ) in path.parents or path == PACKAGE / "app" / "cli" / "demo.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = sorted(name for name in names_of(tree) if "demo" in name.lower())
        if names:
            asking.append((str(path.relative_to(PACKAGE)), names))
    assert asking == []
