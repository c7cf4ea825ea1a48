"""A silence is one line, whatever its comment holds."""

from __future__ import annotations

from sre_obs.app.cli.silence import _line


def test_a_comment_cannot_pretend_to_be_another_silence() -> None:
    line = _line(
        {
            "id": "s-1",
            "status": {"state": "active"},
            "endsAt": "2026-11-25T05:00:00Z",
            "matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}],
            "createdBy": "ana",
            "comment": "deploy\ns-2  active   until never \x1b[31m",
        }
    )
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.startswith("s-1  active")
