"""Files -> findings: which files there are, what each is, and what is told of them together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sre_obs.app.cli.findings import as_text
from sre_obs.app.usecases.check.cache import Cache
from sre_obs.app.usecases.check.run import check
from sre_obs.model.errors import UsageError
from tests.app.check.folder import GOOD, look, slugs, told, well, write
from tests.conftest import Golden
from tests.content.checks.looking import rule

ROUTES = """\
route:
  receiver: a
  routes:
    - {matchers: ['team="shop"'], receiver: b}
receivers:
  - name: a
    slack_configs: [{channel: "#a"}]
  - name: b
    webhook_configs: [{url_file: secrets/hook}]
"""


def test_a_folder_that_is_well_has_no_findings(tmp_path: Path) -> None:
    well(tmp_path)
    write(tmp_path, {"routes.yml": ROUTES, "overrides.yml": "rules: {}\n"})
    report = look(tmp_path)
    assert slugs(report) == []
    assert (report.files, report.rules) == (4, 1)


def test_the_bundled_rules_are_well() -> None:
    from sre_obs.app.bundled import bundled_rules

    assert slugs(look(bundled_rules())) == []


def test_a_file_of_any_name_is_checked_as_a_rule(tmp_path: Path) -> None:
    write(tmp_path, {"odd.txt": "title: x\n", "no-suffix": GOOD})
    report = look(tmp_path / "odd.txt", tmp_path / "no-suffix")
    assert slugs(report) == [
        "no-suffix:1 rules/missing-test",
        "odd.txt:1 rules/missing-key",
        "odd.txt:1 rules/missing-key",
        "odd.txt:1 rules/missing-key",
    ]
    assert (report.files, report.rules) == (2, 1)


def test_a_file_is_what_its_name_says(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "routes.yml": "route: {receiver: x}\nreceivers: []\n",
            "silences.yml": "silences: [{matchers: [a=b]}]\n",
            "overrides.yml": "rules: {a/b: {colour: red}}\n",
            "shop/x.test.yml": "cases: {}\n",
            "telemetry/shop.yml": "pack: shop\nstreams: {a-b-*: {feilds: {}}}\n",
        },
    )
    assert slugs(look(tmp_path)) == [
        "overrides.yml:1 overrides/unknown-key",
        "routes.yml:1 routes/unknown-receiver",
        "x.test.yml:1 tests/no-rule",
        "x.test.yml:1 tests/wrong-value",
        "silences.yml:1 silences/missing-key",
        "silences.yml:1 silences/missing-key",
        "silences.yml:1 silences/missing-key",
        "shop.yml:2 telemetry/unknown-key",
    ]


def test_a_file_of_another_name_is_what_its_keys_say(tmp_path: Path) -> None:
    texts = {
        "a.yml": ("rules: {a/b: {colour: red}}\n", "a.yml:1 overrides/unknown-key"),
        "b.yml": ("environments: {x: {ruels: {}}}\n", "b.yml:1 overrides/unknown-key"),
        "c.yml": ("route: {receiver: x}\nreceivers: []\n", "c.yml:1 routes/unknown-receiver"),
        "d.yml": ("silences: {}\n", "d.yml:1 silences/wrong-value"),
        "e.yml": ("cases: []\n", "e.yml:1 rules/name"),
        "f.yml": ("pack: shop\nstreams: {}\n", "f.yml:1 rules/name"),
    }
    for name, (text, finding) in texts.items():
        write(tmp_path, {name: text})
        report = look(tmp_path / name)
        assert slugs(report) == [finding]
        assert (report.files, report.rules) == (1, 0)


def test_a_file_in_a_folder_of_rules_is_loaded_as_one_whatever_its_keys_say(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"shop/ov2.yml": "rules: {a/b: {colour: red}}\n", "shop/t.yml": "cases: []\n"})
    findings = look(tmp_path).findings
    assert [(p.slug, p.message, p.remedy) for p in findings] == [
        (
            "rules/name",
            "by the keys these are overrides, by the name a rule",
            "call it overrides.yml, above the folders of rules",
        ),
        (
            "rules/name",
            "by the keys this is a test, by the name a rule",
            "call it <slug>.test.yml, beside the rule <slug>.yml",
        ),
    ]


def test_files_are_named_as_the_path_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"rules/shop/a.yml": "title: [\n"})
    monkeypatch.chdir(tmp_path)
    (finding,) = look(Path("rules")).findings
    assert finding.location.file == "rules/shop/a.yml"
    (finding,) = look(Path(".")).findings
    assert finding.location.file == "rules/shop/a.yml"


def test_a_file_that_is_named_twice_is_checked_once(tmp_path: Path) -> None:
    well(tmp_path)
    report = look(tmp_path, tmp_path / "shop" / "well.yml")
    assert (report.files, report.rules) == (2, 1)


def test_a_path_that_is_not_there_can_not_be_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        look(tmp_path / "missing")


def test_a_pack_beside_the_rules_adds_to_the_contract(tmp_path: Path) -> None:
    pack = "pack: kubernetes\nstreams:\n  metrics-kubernetes.state_pod-*: {fields: {pod.x: long}}\n"
    text = rule("query: 'pod.x: 1'")
    path = well(tmp_path, text=text)
    assert slugs(look(path)) == ["well.yml:4 rules/unknown-field"]
    write(tmp_path, {"telemetry/mine.yml": pack})
    assert slugs(look(path)) == []
    assert slugs(look(tmp_path)) == []


def test_rules_that_ask_the_same_or_nearly_are_told_once_each(
    tmp_path: Path, golden: Golden
) -> None:
    for slug in ("a", "b", "c"):
        well(tmp_path, f"shop/{slug}")
    golden("checks", "rules/duplicate", "report.txt", told(look(tmp_path), tmp_path))


def test_a_rule_with_other_numbers_is_nearly_the_same(tmp_path: Path, golden: Golden) -> None:
    well(tmp_path, "shop/a", rule("threshold: {limit: 5}"))
    well(tmp_path, "shop/b", rule("threshold: {limit: 9}", "for: 5m", "labels: {x: y}"))
    well(tmp_path, "shop/c", rule("threshold: {limit: 9, comparison: '>'}"))
    golden("checks", "rules/near-duplicate", "report.txt", told(look(tmp_path), tmp_path))


def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    well(tmp_path, "shop/a")
    well(tmp_path, "pay/a", rule("query: 'host.name: x'"))
    (finding,) = look(tmp_path).findings
    assert (finding.slug, finding.message) == (
        "rules/duplicate",
        f'the name "a" is taken by {tmp_path}/pay/a.yml',
    )


def test_an_override_of_a_bundled_rule_is_known(tmp_path: Path) -> None:
    text = "rules:\n  postgresql/pg-deadlocks: {state: disabled}\n  shop/nothing: {for: 5m}\n"
    write(tmp_path, {"overrides.yml": text})
    assert slugs(look(tmp_path)) == ["overrides.yml:3 overrides/unknown-rule"]


def test_the_overrides_of_every_environment_are_looked_at_and_what_all_share_once(
    tmp_path: Path,
) -> None:
    text = (
        "rules:\n"
        "  shop/nothing: {for: 5m}\n"
        "environments:\n"
        "  staging:\n"
        "    variables: {fewset: 3}\n"
        "    rules:\n"
        "      postgresql/pg-rollback-ratio: {threshold: {limit: 0.2, clear: 0.3}}\n"
        "  test:\n"
        "    rules:\n"
        "      hoosts/*: {state: disabled}\n"
        "      postgresql/pg-rollback-ratio: {variables: {fewest: 5}}\n"
    )
    write(tmp_path, {"overrides.yml": text})
    assert slugs(look(tmp_path)) == [
        "overrides.yml:2 overrides/unknown-rule",
        "overrides.yml:5 overrides/unknown-variable",
        "overrides.yml:7 overrides/wrong-value",
        "overrides.yml:10 overrides/unknown-rule",
    ]


def test_a_silence_of_a_misspelled_alert_is_told(tmp_path: Path) -> None:
    well(tmp_path, "shop/pod-failed")
    silence = (
        "silences:\n"
        "  - matchers: ['alertname=\"{}\"']\n"
        "    starts: 2026-01-31T22:00:00Z\n"
        "    ends: 2026-01-31T23:00:00Z\n"
        "    comment: the rack moves\n"
    )
    write(tmp_path, {"silences.yml": silence.format("pod-faild")})
    assert slugs(look(tmp_path)) == ["silences.yml:2 silences/unknown-alert"]
    write(tmp_path, {"silences.yml": silence.format("pod-failed")})
    assert slugs(look(tmp_path)) == []


def test_no_secret_of_a_routes_file_is_in_a_finding(tmp_path: Path) -> None:
    secret = "xoxb-1-secret"
    text = (
        f"{{global: {{slack_app_token: {secret}}}, route: {{receiver: a, "
        "routes: [{matchers: ['a=\"1\"', 'a=\"2\"']}]}, "
        "receivers: [{name: a}]} # sre-obs: ignore routes/nothing: x\n"
    )
    write(tmp_path, {"routes.yml": text})
    report = look(tmp_path)
    assert {p.slug for p in report.findings} == {"routes/unreachable", "check/ignore-unknown"}
    assert all(secret not in p.source for p in report.findings)


# Folders as machines make them.


def test_the_folders_of_a_mounted_configmap_give_each_rule_once(tmp_path: Path) -> None:
    well(tmp_path, "shop/..2026_11_24/well")
    (tmp_path / "shop" / "..data").symlink_to("..2026_11_24")
    for name in ("well.yml", "well.test.yml"):
        (tmp_path / "shop" / name).symlink_to(f"..data/{name}")
    report = look(tmp_path)
    assert (report.files, report.rules, slugs(report)) == (2, 1, [])


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    well(tmp_path)
    (tmp_path / "shop" / "again").symlink_to(tmp_path)
    (tmp_path / "shop" / "self").symlink_to("self")
    (tmp_path / "shop" / "self.yml").symlink_to("self.yml")
    report = look(tmp_path)
    assert slugs(report) == ["self:1 rules/unreadable", "self.yml:1 rules/unreadable"]


def test_what_is_no_regular_file_is_a_finding_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    assert slugs(look(tmp_path)) == ["pipe.yml:1 yaml/unreadable"]
    assert slugs(look(Path("/dev/zero"))) == ["zero:1 yaml/unreadable"]


def test_a_rules_repository_has_files_that_nobody_checks(tmp_path: Path) -> None:
    well(tmp_path, "rules/shop/well")
    write(tmp_path, {".github/workflows/ci.yml": "on: push", "sre-obs.yml": "data: x", "a.md": "x"})
    report = look(tmp_path)
    assert (report.files, slugs(report)) == (2, [])


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (0, ""),
        (1, "; 1 rule reads streams that no telemetry pack knows: fields not checked"),
        (2, "; 2 rules read streams that no telemetry pack knows: fields not checked"),
    ],
)
def test_rules_on_streams_that_no_pack_knows_are_counted_in_the_last_line(
    tmp_path: Path, others: int, told: str
) -> None:
    well(tmp_path)
    for number in range(others):
        query = rule(
            f"query: 'a.b: {number}'", f"group_by: [f{number}]", index="logs-shop.orders-*"
        )
        well(tmp_path, f"shop/other{number}", query)
    cache = Cache(tmp_path / ".cache")
    for _ in range(2):
        report = look(tmp_path, cache=cache)
        assert slugs(report) == []
        files, rules = 2 * (others + 1), others + 1
        counted = "1 rule" if rules == 1 else f"{rules} rules"
        text = as_text(report, 0.1, None)
        assert text == f"nothing found in {files} files, {counted} (0.1 s){told}\n"


def test_progress_counts_every_file(tmp_path: Path) -> None:
    well(tmp_path)
    heard: list[tuple[int, int]] = []
    check([tmp_path], tell=lambda done, files: heard.append((done, files)))
    assert heard == [(1, 2), (2, 2)]
