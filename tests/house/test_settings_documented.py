"""Undocumented settings fail here."""

from __future__ import annotations

from sre_obs.app.cli.config import markdown
from sre_obs.app.settings import describe
from tests.house.tree import REPOSITORY


def test_the_readme_has_the_table_of_all_settings_as_the_command_prints_it() -> None:
    """Renew it with ``sre-obs config describe``."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    missing = [line for line in markdown(list(describe())).splitlines() if line not in readme]
    assert missing == []
