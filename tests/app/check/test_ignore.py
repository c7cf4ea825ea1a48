"""Comments that keep a finding: where they count, and what is told of those that don't."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.check.folder import look, slugs, well, write

HEAD = "title: x\nkind: threshold\nindex: metrics-kubernetes.state_pod-*\n"
TAIL = "threshold: {limit: 5}\nseverity: warning\nowner: shop\nrunbook: https://runbooks.test/x\n"
SLUG = "rules/unknown-field"


def told(folder: Path, text: str) -> list[str]:
    return slugs(look(well(folder, text=text)))


@pytest.mark.parametrize(
    "lines",
    [
        f"query: 'a.b: 1' # sre-obs: ignore {SLUG}: not yet\n",
        f"# sre-obs: ignore {SLUG}: not yet\nquery: 'a.b: 1'\n",
        f"# sre-obs: ignore {SLUG}: not yet\n# and more of it\n\nquery: 'a.b: 1'\n",
        f"# sre-obs: ignore {SLUG}: not yet\nquery: >-\n  host.name: x\n  and a.b: 1\n",
        f"query: >- # sre-obs: ignore {SLUG}: not yet\n  host.name: x\n  and a.b: 1\n",
        f"#sre-obs:ignore {SLUG} :not yet\nquery: 'a.b: 1'\n",
    ],
)
def test_a_comment_on_the_line_or_above_it_keeps_the_finding(tmp_path: Path, lines: str) -> None:
    assert told(tmp_path, HEAD + lines + TAIL) == []


def test_a_comment_before_the_first_key_is_for_the_file(tmp_path: Path) -> None:
    text = f"# sre-obs: ignore {SLUG}: our own pipeline adds it\n\n{HEAD}query: 'a.b: 1'\n{TAIL}"
    assert told(tmp_path, text) == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (f"query: 'a.b: 1'\n# sre-obs: ignore {SLUG}: late\n", [f"well.yml:4 {SLUG}"]),
        (f"# sre-obs: ignore {SLUG}:\nquery: 'a.b: 1'\n", [f"well.yml:5 {SLUG}"]),
        ("# sre-obs: ignore rules/wrong-type: x\nquery: 'a.b: 1'\n", [f"well.yml:5 {SLUG}"]),
        (f"query: 'a.b: \"# sre-obs: ignore {SLUG}: x\"'\n", [f"well.yml:4 {SLUG}"]),
    ],
)
def test_a_comment_elsewhere_without_a_reason_or_in_a_text_does_not(
    tmp_path: Path, lines: str, found: list[str]
) -> None:
    told_of = [line for line in told(tmp_path, HEAD + lines + TAIL) if " rules/" in line]
    assert told_of == found


@pytest.mark.parametrize(
    ("comment", "slug"),
    [
        (f"# sre-obs: ignore {SLUG}", "check/ignore-without-reason"),
        (f"# sre-obs: ignore {SLUG}: gone by now", "check/ignore-unused"),
        ("# sre-obs: ignore rules/unknwon-field: x", "check/ignore-unknown"),
        ("# sre-obs: ignore rules/wrong-value: x", "check/ignore-unknown"),
        ("# sre-obs: ignore", "check/ignore-unknown"),
    ],
)
def test_a_comment_that_can_not_work_is_told(tmp_path: Path, comment: str, slug: str) -> None:
    text = f"{HEAD}{comment}\nquery: 'host.name: x'\n{TAIL}"
    assert told(tmp_path, text) == [f"well.yml:4 {slug}"]


def test_what_keeps_a_file_from_being_used_can_not_be_ignored(tmp_path: Path) -> None:
    text = f"{HEAD}# sre-obs: ignore rules/unknown-key: x\ncolour: red\n{TAIL}"
    assert told(tmp_path, text) == [
        "well.yml:4 check/ignore-unknown",
        "well.yml:5 rules/unknown-key",
    ]


def test_a_finding_about_two_files_can_be_kept_too(tmp_path: Path) -> None:
    well(tmp_path, "shop/a")
    text = well(tmp_path, "shop/b").read_text()
    text = text.replace("query:", "# sre-obs: ignore rules/duplicate: on its way out\nquery:")
    well(tmp_path, "shop/b", text)
    assert slugs(look(tmp_path)) == []
    # Alone it is not compared, so nobody can say that the comment is not needed.
    assert slugs(look(tmp_path / "shop" / "b.yml")) == []


def test_a_comment_behind_a_block_is_a_comment(tmp_path: Path) -> None:
    lines = "annotations:\n  summary: |\n    text\n# sre-obs: ignore rules/missing-owner: demo\n"
    text = HEAD + lines + TAIL.replace("owner: shop\n", "").replace("threshold", "threshold", 1)
    text = text.replace("threshold: {limit: 5}\n", "")
    text = text.replace("title: x\n", "title: x\nthreshold: {limit: 5}\n")
    assert told(tmp_path, text) == []


def test_routes_and_overrides_have_comments_as_well(tmp_path: Path) -> None:
    routes = (
        "route: {receiver: a}\n"
        "receivers:\n"
        "  - name: a\n"
        "  # sre-obs: ignore routes/unused-receiver: somebody adds it to routes by hand\n"
        "  - name: b\n"
    )
    overrides = (
        "rules:\n  # sre-obs: ignore overrides/unknown-rule: it comes next week\n  a/b: {for: 5m}\n"
    )
    write(tmp_path, {"routes.yml": routes, "overrides.yml": overrides})
    assert slugs(look(tmp_path)) == []
