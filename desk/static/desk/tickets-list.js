// Keeps the open list of tickets up to date and sends the filters as soon as one is chosen.
"use strict";
(() => {
  // Searching words costs the server more than listing does.
  const EVERY = new URLSearchParams(window.location.search).get("q") ? 30000 : 8000;
  const list = document.getElementById("dk-list");
  if (!list) return;
  let stamp = list.dataset.stamp;
  let timer = setTimeout(refresh, EVERY);

  async function refresh() {
    clearTimeout(timer);
    if (!document.hidden) {
      try {
        const asked = new URLSearchParams(window.location.search);
        asked.set("stamp", stamp);
        const response = await fetch(`${list.dataset.changed}?${asked}`, { headers: { Accept: "application/json" } });
        if (response.ok && (response.headers.get("Content-Type") || "").includes("json")) show(await response.json());
      } catch {
        // The console is restarting or the network is away: the next round asks again.
      }
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, EVERY);
  }

  function show(data) {
    stamp = data.stamp;
    if (data.html === undefined) return;
    // A link that has the keyboard keeps it: the same one is looked for in the new list.
    const held = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    list.innerHTML = data.html;
    if (held !== null) [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus();
    document.title = document.title.replace(/^(\(\d+\) )?/, data.waiting ? `(${data.waiting}) ` : "");
  }

  // A tab that comes to the front is brought up to date at once.
  document.addEventListener("visibilitychange", () => document.hidden || refresh());

  for (const select of document.querySelectorAll(".dk-search select")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
})();
