"""The page in a real Chromium: on a phone, by keyboard, without script, while it refreshes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.app.web.night import IDLE, NOW, World, idle, night, oom
from tests.browser.chromium import DESKTOP, PHONE, Served, chromium, hurry, scheme, size
from tests.daemon import Daemon, fire

STORY = f"/alerts/{idle().fingerprint}"
FORM = "/silences/new?m=alertname%3Didle%2Capplication%3Dorders-api"
PAGES = (
    *("/", STORY, "/rules", "/rules/postgresql/idle", "/silences", FORM),
    *("/receivers", "/deliveries", "/history", "/about"),
)


@pytest.fixture
def world() -> World:
    return night()


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with Served(world.app) as running:
        yield running


_CARDS = ".cards > li"


def one(driver: Chrome, css: str) -> WebElement:
    return driver.find_element(By.CSS_SELECTOR, css)


def text(driver: Chrome, css: str) -> str:
    return one(driver, css).text


def until(driver: Chrome, condition: Callable[[Chrome], Any], seconds: float = 20) -> Any:
    # A region that is swapped, or a page that is left, takes its elements with it.
    gone = [StaleElementReferenceException]
    return WebDriverWait(driver, seconds, 0.05, ignored_exceptions=gone).until(condition)


def cards(driver: Chrome) -> list[str]:
    found = until(driver, lambda d: [[c.text for c in d.find_elements(By.CSS_SELECTOR, _CARDS)]])
    return list(found[0])


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_scrolls_sideways_and_nothing_is_blocked(
    browser: Chrome, served: Served, window: tuple[int, int], colours: str
) -> None:
    size(browser, window)
    scheme(browser, colours)
    for path in PAGES:
        browser.get(served.url + path)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= window[0], path
        shown = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert shown == ("rgb(255, 255, 255)" if colours == "light" else "rgb(13, 17, 23)")


def test_long_names_do_not_scroll_a_phone_sideways(browser: Chrome) -> None:
    world, name = World(), "x" * 300
    labels = {"alertname": name, "pod": name, "team": name}
    world.fire(oom(1, labels=labels, annotations={"title": name, "action": name}, place=name))
    size(browser, PHONE)
    with Served(world.app) as served:
        for path in ("/", "/alerts/0000000000000001", "/history", "/deliveries"):
            browser.get(served.url + path)
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= PHONE[0], path


def test_markup_in_telemetry_runs_nothing(browser: Chrome) -> None:
    script = "<script>document.title='taken'</script><img src=x onerror=document.title='taken'>"
    world = World(IDLE)
    labels = {"alertname": script, "team": script, script: script}
    world.fire(oom(1, labels=labels, annotations={"title": script, "action": script}))
    world.silence('team!="x", alertname=~".+"', 60, by=script, comment=script)
    with Served(world.app) as served:
        for path in ("/", "/alerts/0000000000000001", "/silences", "/deliveries", "/about"):
            browser.get(served.url + path)
            assert browser.title != "taken", path


def test_what_a_thumb_must_hit_is_44_px_high(browser: Chrome, served: Served) -> None:
    size(browser, PHONE)
    for path in ("/", STORY, FORM):
        browser.get(served.url + path)
        for element in browser.find_elements(
            By.CSS_SELECTOR, "nav a, .card, .actions a, button, summary, .choice, input[name=by]"
        ):
            if element.is_displayed():
                assert element.size["height"] >= 44, (path, element.text)


def test_a_page_takes_four_requests_at_most(browser: Chrome, served: Served) -> None:
    for path in PAGES:
        browser.get(served.url + path)
        loaded = browser.execute_script(
            "return performance.getEntriesByType('resource').map((entry) => entry.name)"
        )
        assert len(loaded) + 1 <= 4, loaded
        assert all(name.startswith(served.url) for name in loaded)


def test_the_first_tab_skips_to_the_content(browser: Chrome, served: Served) -> None:
    browser.get(served.url + "/")
    one(browser, "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "To the content"


def test_a_slash_filters_and_is_typed_where_one_types(browser: Chrome, served: Served) -> None:
    browser.get(served.url + "/")
    one(browser, "body").send_keys("/")
    field = browser.switch_to.active_element
    field.send_keys("a/b")
    assert field.get_attribute("id") == "q"
    assert field.get_attribute("value") == "a/b"


def test_the_page_refreshes_itself_and_keeps_the_focus(
    browser: Chrome, served: Served, world: World
) -> None:
    hurry(browser, 20)
    browser.get(served.url + "/")
    field = one(browser, "#q")
    field.send_keys("half a th")
    served.do(lambda: world.fire(idle("new-api", starts_at=NOW - 1)))
    until(browser, lambda d: any("new-api" in card for card in cards(d)))
    assert browser.switch_to.active_element == field
    assert field.get_attribute("value") == "half a th"
    assert one(browser, "#news").get_attribute("textContent") == "1 new, 0 resolved"
    assert browser.title == "8 firing - sre-obs"


def test_what_was_unfolded_stays_so_over_a_refresh(
    browser: Chrome, served: Served, world: World
) -> None:
    hurry(browser, 20)
    browser.get(served.url + "/")
    one(browser, "#silenced summary").click()
    one(browser, "h1").click()
    browser.execute_script("document.activeElement.blur()")
    served.do(lambda: world.fire(idle("new-api", starts_at=NOW - 1)))
    until(browser, lambda d: any("new-api" in card for card in cards(d)))
    assert one(browser, "#silenced").get_attribute("open") is not None


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("document.querySelector('.card').focus()", "a link has the focus"),
        ("getSelection().selectAllChildren(document.querySelector('.card'))", "text is selected"),
    ],
    ids=["focus", "selection"],
)
def test_the_refresh_waits_for_whoever_reads_and_says_so(
    browser: Chrome, served: Served, world: World, act: str, why: str
) -> None:
    hurry(browser, 20)
    browser.get(served.url + "/")
    browser.execute_script(act)
    served.do(lambda: world.fire(idle("new-api", starts_at=NOW - 1)))
    until(browser, lambda d: f"Refresh paused: {why}." in text(d, "#paused"))
    assert not [card for card in cards(browser) if "new-api" in card]
    browser.execute_script("document.activeElement.blur(); getSelection().empty()")
    until(browser, lambda d: any("new-api" in card for card in cards(d)))
    until(browser, lambda d: text(d, "#paused") == "")


def test_a_page_whose_daemon_is_gone_says_how_old_it_is_and_loses_nothing(
    browser: Chrome, tmp_path: Path
) -> None:
    routes = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
    hurry(browser, 20)
    with Daemon(tmp_path, routes) as daemon:
        daemon.alert(fire("DiskFull", instance="a"), fire("DiskFull", instance="b"))
        browser.get(daemon.url + "/")
        before = cards(browser)
        assert len(before) == 2
        assert not one(browser, "#bar").is_displayed()
        assert daemon.stop() == 0
    until(browser, lambda d: one(d, "#bar").is_displayed())
    assert "s old: the daemon does not answer." in text(browser, "#bar")
    assert [card.split("\n")[0] for card in cards(browser)] == ["WARNING", "WARNING"]
    assert "old" in one(browser, "#live").get_attribute("class").split()
    browser.get_log("browser")  # the refused connections are what this test is about


def test_it_comes_back_when_the_daemon_does(browser: Chrome, world: World) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hurry(browser, 20)
    with Served(world.app, port) as served:
        browser.get(served.url + "/")
    until(browser, lambda d: one(d, "#bar").is_displayed())
    with Served(world.app, port):
        until(browser, lambda d: not one(d, "#bar").is_displayed())
        assert "old" not in str(one(browser, "#live").get_attribute("class"))
    browser.get_log("browser")


def test_a_silence_from_the_page_hides_the_alert(browser: Chrome, served: Served) -> None:
    size(browser, PHONE)
    browser.get(served.url + "/")
    one(browser, f"a[href='{STORY}']").click()
    browser.find_element(By.LINK_TEXT, "Silence...").click()
    assert "Hides 1 now" in text(browser, "#preview")
    one(browser, "#comment").send_keys("ana looks at it")
    one(browser, "#by").send_keys("ana")
    one(browser, "button.main").click()
    until(browser, lambda d: "/silences#s-" in d.current_url)
    assert "ana: ana looks at it" in text(browser, "main")
    browser.find_element(By.LINK_TEXT, "Firing").click()
    shown = [card for card in cards(browser) if "orders-api" in card]
    assert shown in ([], [""])  # folded away
    one(browser, "#silenced summary").click()
    assert any("silenced by ana until" in card for card in cards(browser))


def test_the_preview_follows_the_form_while_one_types(browser: Chrome, served: Served) -> None:
    browser.get(served.url + FORM)
    assert "Hides 1 now" in text(browser, "#preview")
    one(browser, "input[name=m][value*=application]").click()
    until(browser, lambda d: "It has one matcher." in text(d, "#preview"))
    assert "Hides 3 now" in text(browser, "#preview")
    field = one(browser, "#extra")
    field.send_keys("database=other")
    until(browser, lambda d: "Hides 0 now" in text(d, "#preview"))
    assert browser.switch_to.active_element == field
    assert "database=" in text(browser, "#preview pre")


def test_the_readers_own_clock_is_shown_beside_utc(browser: Chrome, served: Served) -> None:
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kolkata"})
    browser.get(served.url + FORM)
    until(browser, lambda d: "10:46 UTC+5:30" in text(d, "#preview"))
    assert text(browser, "#zone-name") == "UTC+5:30"


def test_a_broad_silence_wants_its_count_typed(browser: Chrome, served: Served) -> None:
    browser.get(served.url + "/silences/new?m=team%3Dteam-payments")
    one(browser, "#comment").send_keys("payments failover")
    one(browser, "#by").send_keys("ana")
    one(browser, "#count").send_keys("2")
    one(browser, "button.main").click()
    until(browser, lambda d: "type how many alerts it hides now, 3" in text(d, ".wrong"))
    one(browser, "#count").send_keys("3")
    one(browser, "button.main").click()
    until(browser, lambda d: "/silences#s-" in d.current_url)
    browser.get_log("browser")  # the refused form was a 400


def test_everything_works_without_script(tmp_path: Path, served: Served, world: World) -> None:
    with chromium(tmp_path, script=False) as driver:
        driver.get(served.url + "/")
        assert len(cards(driver)) == 9
        one(driver, "#q").send_keys("team=team-shop" + Keys.ENTER)
        until(driver, lambda d: "q=team" in d.current_url)
        assert "4 firing" in text(driver, "#count")
        driver.get(served.url + STORY)
        one(driver, "#query summary").click()
        assert 'postgresql.activity.state : "idle' in text(driver, "#query pre")
        driver.find_element(By.LINK_TEXT, "Silence...").click()
        one(driver, "input[name=m][value*=team]").click()
        one(driver, "#comment").send_keys("without script")
        one(driver, "#by").send_keys("ana")
        driver.find_element(By.XPATH, "//button[text()='Preview']").click()
        until(driver, lambda d: "offered=" in d.current_url)
        assert "team=" not in text(driver, "#preview pre")
        assert one(driver, "#comment").get_attribute("value") == "without script"
        one(driver, "button.main").click()
        until(driver, lambda d: "/silences#s-" in d.current_url)
        driver.find_elements(By.XPATH, "//button[text()='Expire']")[0].click()
        until(driver, lambda d: "expired" in text(d, "main"))
    assert [entry.action for entry in world.store.audit()][:2] == ["silence.expire", "silence.add"]
