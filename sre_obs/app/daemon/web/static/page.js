// Every ten seconds: fetch this page again and swap the region that is marked for it.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || !$("q") || event.target.closest("input, textarea")) return;
    event.preventDefault();
    $("q").focus();
  });
  const live = $("live");
  if (!live) return;
  let missed = 0, last = Date.now();
  const ids = (node) => [...node.querySelectorAll(".cards > li")].map((li) => li.id);
  // Whoever reads, selects or has come to something by keyboard keeps it where it is.
  const busy = () =>
    document.hidden ? "hidden" : String(getSelection()) ? "text is selected" :
    live.contains(document.activeElement) ? "something in it has the focus" : "";
  const age = () => `${Math.round((Date.now() - last) / 1000)} s old`;
  const show = (why) => {
    $("paused").textContent = why ? `Refresh paused: ${why}. ${age()}.` : "";
    $("bar").hidden = missed < 2;
    $("bar").textContent = `${age()}: the daemon does not answer.`;
    live.classList.toggle("old", missed > 1);
  };
  const swap = (page) => {
    const fresh = page.getElementById("live"), before = ids(live), after = ids(fresh);
    for (const open of live.querySelectorAll("details[id]")) {
      const same = page.getElementById(open.id);
      if (same) same.open = open.open;
    }
    live.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    $("clock").textContent = page.getElementById("clock").textContent;
    const added = after.filter((id) => !before.includes(id)).length;
    const gone = before.filter((id) => !after.includes(id)).length;
    if (added || gone) $("news").textContent = `${added} new, ${gone} resolved`;
  };
  const refresh = async () => {
    if (busy()) return show(busy());
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw answer.status;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!busy()) { swap(page); missed = 0; last = Date.now(); }
    } catch { missed++; }
    show(busy());
  };
  setInterval(refresh, 10000);
  addEventListener("visibilitychange", () => document.hidden || refresh());
})();
