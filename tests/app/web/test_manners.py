"""What a page weighs, whether it can be read, and what it may run."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

import sre_obs.app.daemon.web as web
from tests.app.web.night import World, night, oom
from tests.app.web.reading import check, paths

STATIC = Path(web.__file__).parent / "static"
STYLE = (STATIC / "style.css").read_text(encoding="utf-8")
TEXTS = ("text", "muted", "critical", "warning", "info", "ok", "stale")
SCHEMES = ("light", "dark")


def compressed(data: bytes) -> int:
    return len(gzip.compress(data, 5, mtime=0))


class TestWeight:
    def test_a_hundred_alerts_weigh_15_kb(self) -> None:
        world = World()
        # Long, different names: what a cluster's pods are called.
        world.fire(
            *(
                oom(n, labels={**oom(n).labels, "pod": f"checkout-{n * 7919 % 10007:05}-x{n:03}"})
                for n in range(400)
            )
        )
        answer = world.client.get("/", headers={"accept-encoding": "gzip"})
        assert answer.text.count('<li id="a-') == 100
        assert int(answer.headers["content-length"]) < 15 * 1024

    def test_the_stylesheet_weighs_8_kb(self) -> None:
        assert compressed(STYLE.encode()) < 8 * 1024

    def test_each_script_is_under_2_kb_and_all_of_them_are_under_18_compressed(self) -> None:
        scripts = sorted(STATIC.glob("*.js"))
        assert [script.name for script in scripts] == ["form.js", "page.js"]
        for script in scripts:
            assert len(script.read_bytes()) <= 2 * 1024
        assert sum(compressed(script.read_bytes()) for script in scripts) < 18 * 1024

    def test_no_page_asks_for_more_than_three_files(self) -> None:
        world = night()
        for path in paths(world):
            if not path.endswith(".json"):
                html = world.get(path)
                files = re.findall(r'(?:src|rel="(?:icon|stylesheet)" href)="(/[^"]*)"', html)
                assert len(files) <= 3, (path, files)
                assert all(world.client.get(file).status_code == 200 for file in files)


class TestPolicy:
    def test_nothing_is_inline_and_nothing_comes_from_elsewhere(self) -> None:
        world = night()
        for path in paths(world):
            if not path.endswith(".json"):
                html = world.get(path)
                check(html)
                assert "<style" not in html
                assert not re.search(r'(?:src|<link[^>]* href)="(?!/static/|data:,)', html)

    def test_the_policy_lets_only_our_own_files_run(self) -> None:
        policy = night().client.get("/").headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy

    @pytest.mark.parametrize("name", ["page.js", "form.js"])
    def test_scripts_build_no_markup_and_no_code_from_text(self, name: str) -> None:
        script = (STATIC / name).read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function", script
        )

    def test_only_the_front_page_reloads_itself_and_only_without_script(self) -> None:
        world = night()
        for path in paths(world):
            if not path.endswith(".json"):
                html = world.get(path)
                assert ("http-equiv" in html) == (path == "/"), path
        refresh = '<noscript><meta http-equiv="refresh" content="30"></noscript>'
        assert refresh in world.get("/")

    def test_forms_are_never_in_a_region_that_is_swapped(self) -> None:
        world = night()
        for path in paths(world):
            if not path.endswith(".json"):
                region = world.get(path).partition('<div id="live">')[2]
                assert "<form" not in region, path


class TestReadable:
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("token", TEXTS)
    @pytest.mark.parametrize("surface", ["background", "panel"])
    def test_text_has_contrast(self, scheme: str, token: str, surface: str) -> None:
        """WCAG 2.2, 1.4.3: 4.5."""
        colours = tokens()[scheme]
        assert contrast(colours[token], colours[surface]) >= 4.5

    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("surface", ["background", "panel"])
    def test_borders_of_fields_have_contrast(self, scheme: str, surface: str) -> None:
        """WCAG 2.2, 1.4.11: 3."""
        colours = tokens()[scheme]
        assert contrast(colours["border"], colours[surface]) >= 3.0

    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("fill", ["warning", "info"])
    def test_text_on_a_filled_bar_has_contrast(self, scheme: str, fill: str) -> None:
        colours = tokens()[scheme]
        assert contrast(colours["background"], colours[fill]) >= 4.5

    def test_every_colour_is_a_token(self) -> None:
        rules = re.sub(r":root \{[^}]*\}", "", STYLE)
        assert not re.search(r"#[0-9a-f]{3,8}\b|\brgb|\bhsl", rules, re.IGNORECASE)
        assert "opacity: ." not in rules, "see-through text has less contrast than its token"

    def test_both_schemes_have_every_token(self) -> None:
        light, dark = (tokens()[scheme] for scheme in SCHEMES)
        assert light.keys() == dark.keys() >= {*TEXTS, "background", "panel", "border"}

    def test_a_state_is_a_word_and_a_shape_before_it_is_a_colour(self) -> None:
        html = night().get("/")
        for word in ("CRITICAL", "WARNING", "STALE"):
            assert f'<span class="state"><i class="glyph"></i>{word}</span>' in html
        shapes = re.findall(r"clip-path: (polygon\([^)]*\))", STYLE)
        assert len(shapes) == len(set(shapes)) == 6

    def test_every_field_has_a_label_and_every_table_its_heads(self) -> None:
        world = night()
        for path in ("/", "/silences/new?m=team%3Dteam-payments", "/silences", "/rules"):
            html = world.get(path)
            for tag in re.findall(r"<input(?![^>]*hidden)[^>]*>", html):
                named = re.search(r' id="([^"]*)"', tag)
                wrapped = re.search(r"<label[^>]*>(?:(?!</label>).)*" + re.escape(tag), html)
                assert wrapped or (named and f'for="{named[1]}"' in html), tag
            assert html.count("<th>") == 0

    def test_a_page_says_where_it_is_and_lets_one_skip_to_its_content(self) -> None:
        html = night().get("/rules")
        assert '<html lang="en">' in html
        assert '<a class="skip" href="#main">' in html
        assert '<a href="/rules" aria-current="page">Rules</a>' in html
        assert html.count("<h1") == 1

    def test_one_region_is_read_aloud_as_it_changes(self) -> None:
        world = night()
        for path in ("/", "/rules", f"/alerts/{oom(1).fingerprint}"):
            assert world.get(path).count('role="status"') == 1, path

    def test_ids_are_unique(self) -> None:
        world = night()
        for path in paths(world):
            if not path.endswith(".json"):
                ids = re.findall(r' id="([^"]*)"', world.get(path))
                assert len(ids) == len(set(ids)), path


def tokens() -> dict[str, dict[str, str]]:
    """Scheme -> token -> colour, from the stylesheet."""
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{([^}]*)\}", STYLE)
    )
    return {"light": light, "dark": dark}


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
