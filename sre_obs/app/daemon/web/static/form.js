// What the silence would hide, anew after each change; and which clock the reader has.
"use strict";
(() => {
  const form = document.getElementById("silence");
  const zone = -new Date().getTimezoneOffset();
  let timer, asked = 0;
  const refresh = async () => {
    const mine = ++asked;
    const given = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(`/silences/new?${given}`, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      // A slow answer must not replace that to a later question.
      if (mine !== asked || !answer.ok) return;
      for (const id of ["preview", "zone-name"])
        document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    } catch { /* The form still works: the daemon checks it when it is sent. */ }
  };
  form.addEventListener("input", (event) => {
    if (event.target.name === "count") return;
    clearTimeout(timer);
    timer = setTimeout(refresh, 300);
  });
  if (form.elements.zone.value !== String(zone)) {
    form.elements.zone.value = zone;
    refresh();
  }
})();
