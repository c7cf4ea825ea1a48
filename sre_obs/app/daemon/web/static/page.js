// Refreshes what fires every ten seconds. Without it the page reloads or is reloaded.
"use strict";
(() => {
  const live = document.querySelector("[data-refresh]");
  document.addEventListener("keydown", (event) => {
    const field = document.getElementById("q");
    if (event.key === "/" && field && !event.target.closest("input, textarea")) {
      event.preventDefault();
      field.focus();
    }
  });
  if (!live) return;
  const news = document.getElementById("news");
  let missed = 0, last = Date.now(), bar = null;
  const ids = (node) => new Set([...node.querySelectorAll("li[id]")].map((li) => li.id));
  const busy = () => document.hidden || String(getSelection()) ||
    (live.contains(document.activeElement) && document.activeElement !== document.body);
  const say = (text) => { if (news.textContent !== text) news.textContent = text; };
  const old = () => {
    bar = bar || live.parentNode.insertBefore(document.createElement("p"), live);
    bar.className = "bar";
    bar.textContent = `${Math.round((Date.now() - last) / 1000)} s old: the daemon does not answer`;
    live.classList.add("old");
  };
  setInterval(async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-refresh]");
      const before = ids(live), after = ids(fresh);
      const added = [...after].filter((id) => !before.has(id)).length;
      const gone = [...before].filter((id) => !after.has(id)).length;
      live.replaceChildren(...fresh.childNodes);
      live.classList.remove("old");
      if (bar) { bar.remove(); bar = null; }
      document.getElementById("clock").textContent = page.getElementById("clock").textContent;
      if (added || gone) say(`${added} new, ${gone} gone`);
      missed = 0; last = Date.now();
    } catch { if (++missed >= 2) old(); }
  }, 10000);
})();
