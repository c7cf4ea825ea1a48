"""Where the data folders lie that ship with the program."""

from __future__ import annotations

from pathlib import Path


def bundled_rules() -> Path:
    """The rules that ship with the program: in the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "data" / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def bundled_recordings() -> Path:
    """The telemetry that was recorded for the demo; tests of rules name its files."""
    return Path(__file__).resolve().parent / "demo" / "telemetry"
