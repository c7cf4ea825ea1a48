// Every ten seconds: fetch this page again, swap #live.
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
  // Whoever selects, or came here by keyboard, keeps it where it is.
  const busy = () =>
    document.hidden ? "hidden" : String(getSelection()) ? "text is selected" :
    live.contains(document.activeElement) ? "a link has the focus" : "";
  const show = () => {
    const age = `${Math.round((Date.now() - last) / 1000)} s old`;
    $("paused").textContent = busy() && `Refresh paused: ${busy()}. ${age}.`;
    $("bar").hidden = missed < 2;
    $("bar").textContent = `${age}: the daemon does not answer.`;
    live.classList.toggle("old", missed > 1);
  };
  const swap = (page) => {
    const fresh = page.getElementById("live"), before = ids(live), after = ids(fresh);
    for (const { id, open } of live.querySelectorAll("details[id]"))
      page.getElementById(id)?.toggleAttribute("open", open);
    live.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    const less = (one, other) => one.filter((id) => !other.includes(id)).length;
    const added = less(after, before), gone = less(before, after);
    if (added || gone) $("news").textContent = `${added} new, ${gone} resolved`;
    [missed, last] = [0, Date.now()];
  };
  const refresh = async () => {
    if (!busy()) try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw answer;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!busy()) swap(page);
    } catch { missed++; }
    show();
  };
  setInterval(refresh, 10000);
  addEventListener("visibilitychange", refresh);
})();
