"""Rows of figures, printed as they come."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def heading(title: str, *columns: str) -> None:
    """A table's title and the names of its columns; the first one is wide."""
    print(f"\n{title}", flush=True)
    row(*columns)


def row(first: str, *figures: object) -> None:
    """One line; numbers are rounded to what can be meant."""
    print(f"{first:<34}" + "".join(f"{_text(figure):>14}" for figure in figures), flush=True)


def options(description: str | None) -> argparse.Namespace:
    """``--quick``, and the machine in one line."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of it, to see that it runs")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {load:.1f}")
    return chosen


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder on a disk that syncs (/dev/shm would sync for nothing)."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="sre-obs-bench-") as made:
        yield Path(made)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _text(figure: object) -> str:
    if not isinstance(figure, float):
        return f"{figure:,}" if isinstance(figure, int) else str(figure)
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"
