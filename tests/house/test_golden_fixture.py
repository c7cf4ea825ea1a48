"""The golden fixture itself: a golden that is missing or differs fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import conftest


def test_a_missing_golden_fails_and_says_how_to_write_it(
    golden: conftest.Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "GOLDEN_ROOT", tmp_path)
    with pytest.raises(pytest.fail.Exception, match="--update-goldens"):
        golden("house", "none", "a.txt", "text")


def test_a_golden_that_differs_fails(
    golden: conftest.Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "GOLDEN_ROOT", tmp_path)
    (tmp_path / "house" / "one").mkdir(parents=True)
    (tmp_path / "house" / "one" / "a.txt").write_text("as it was\n", encoding="utf-8")
    golden("house", "one", "a.txt", "as it was\n")
    with pytest.raises(AssertionError, match=r"a\.txt"):
        golden("house", "one", "a.txt", "as it is\n")
