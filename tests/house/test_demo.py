"""The demo is the daemon with another outside world: it has no stage of its own."""

from __future__ import annotations

import grimp
import pytest

# Not query: the in-process search is the demo's source, executing the same requests.
STAGES = ("content", "evaluate", "route", "notify")
DEMO = "sre_obs.app.demo"


@pytest.fixture
def graph() -> grimp.ImportGraph:
    """The imports of the package as it lies here; a test may take modules out."""
    return grimp.build_graph("sre_obs", cache_dir=None)


def in_stages(modules: set[str]) -> set[str]:
    return {module for module in modules if module.split(".")[1] in STAGES}


def test_no_stage_is_reachable_from_the_demo_alone(graph: grimp.ImportGraph) -> None:
    from_demo = in_stages(graph.find_upstream_modules(DEMO, as_package=True))
    for module in {DEMO, *graph.find_descendants(DEMO)}:
        graph.remove_module(module)
    from_daemon = in_stages(graph.find_upstream_modules("sre_obs.app.daemon", as_package=True))
    from_daemon |= in_stages(graph.find_upstream_modules("sre_obs.app.wiring"))
    assert from_demo, "the demo runs the stages"
    assert from_demo - from_daemon == set()


def test_the_demo_calls_no_stage_itself(graph: grimp.ImportGraph) -> None:
    calls = {
        (importer, imported)
        for importer in {DEMO, *graph.find_descendants(DEMO)}
        for imported in graph.find_modules_directly_imported_by(importer)
        if in_stages({imported})
    }
    assert calls == set()
