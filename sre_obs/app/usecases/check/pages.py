"""The page of each slug: what it means, an example, how to mend or ignore it.

It lies beside what finds it, `<slug>.md` in the folder of the checks of its room.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from sre_obs.model.errors import UsageError

_PACKAGE = Path(__file__).resolve().parents[3]

FOLDERS = {
    "rules": _PACKAGE / "content" / "rules" / "checks",
    "routes": _PACKAGE / "content" / "routes" / "checks",
    "overrides": _PACKAGE / "content" / "overrides" / "checks",
    "silences": _PACKAGE / "content" / "silences" / "checks",
    "telemetry": _PACKAGE / "content" / "telemetry" / "checks",
    "tests": _PACKAGE / "content" / "tests" / "checks",
    "yaml": _PACKAGE / "content" / "checks" / "yaml",
    "check": _PACKAGE / "content" / "checks" / "check",
}
"""Room -> the folder of its pages."""

# A check that lives with what it knows, and its page with it.
_ELSEWHERE = {"rules/template": _PACKAGE / "adapters" / "checks" / "template.md"}


def slugs() -> list[str]:
    """Every slug that has a page, in order."""
    found = [
        f"{room}/{path.stem}" for room, folder in FOLDERS.items() for path in folder.glob("*.md")
    ]
    return sorted([*found, *_ELSEWHERE])


def page(slug: str) -> str:
    """The page of a slug, as Markdown. Raises UsageError for one that has none."""
    room, _, name = slug.partition("/")
    known = slugs()
    if slug not in known:
        near = get_close_matches(slug, known, n=1) or [s for s in known if s.endswith("/" + slug)]
        remedy = (
            f"write {near[0]}" if near else "write it as it stands in brackets behind a finding"
        )
        raise UsageError(f"no page for {slug}", where="--explain", remedy=remedy)
    return _ELSEWHERE.get(slug, FOLDERS[room] / f"{name}.md").read_text(encoding="utf-8")


def summary(slug: str) -> str:
    """The first sentence of a page below its heading, "" for a slug without one."""
    try:
        text = page(slug)
    except (UsageError, OSError):
        return ""
    return next((row for row in text.splitlines()[1:] if row.strip()), "")
