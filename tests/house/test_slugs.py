"""Every slug has a page, every page a slug; every check a test and a golden."""

from __future__ import annotations

from sre_obs.adapters.checks import template
from sre_obs.app.usecases.check.across import ACROSS
from sre_obs.app.usecases.check.pages import page, slugs, summary
from sre_obs.content.routes.checks import unknown_label, unreachable
from sre_obs.content.rules.checks.registry import CHECKS
from tests.conftest import GOLDEN_ROOT
from tests.house.slugs import emitted
from tests.house.tree import REPOSITORY

OWN = {*CHECKS, *ACROSS, template.SLUG, unknown_label.SLUG, unreachable.SLUG}


def test_every_slug_that_code_emits_has_a_page_and_every_page_is_of_such_a_slug() -> None:
    assert set(slugs()) == emitted()


def test_a_page_says_what_it_is_of_and_a_sentence_about_it() -> None:
    for slug in slugs():
        assert page(slug).startswith(f"# {slug}\n"), slug
        assert summary(slug).endswith("."), slug


def test_every_check_is_a_file_of_its_name_with_its_page_beside_it() -> None:
    for slug in OWN - ACROSS:
        room, _, name = slug.partition("/")
        folders = [REPOSITORY / "sre_obs" / "content" / room / "checks"]
        folders.append(REPOSITORY / "sre_obs" / "adapters" / "checks")
        assert any(
            (folder / f"{name.replace('-', '_')}.py").is_file()
            and (folder / f"{name}.md").is_file()
            for folder in folders
        ), slug


def test_every_check_has_an_example_and_its_golden() -> None:
    for slug in OWN:
        assert (GOLDEN_ROOT / "checks" / slug / "report.txt").is_file(), slug
