"""Undocumented settings fail here."""

from __future__ import annotations

from sre_obs.app.cli.config import markdown
from sre_obs.app.settings import describe
from tests.house.tree import REPOSITORY

BEGIN, END = "<!-- settings: sre-obs config describe -->", "<!-- end of settings -->"


def test_the_readme_has_the_table_of_all_settings_as_the_command_prints_it() -> None:
    """Renew what is between the two marks with ``sre-obs config describe``."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    between = readme.partition(BEGIN)[2].partition(END)[0]
    assert between.strip() == markdown(list(describe()))
