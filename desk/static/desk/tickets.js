// Keeps the open page of a ticket up to date: new messages, and how far each answer has come. What somebody is
// typing is never touched; other changes are announced with a link instead of a reload.
"use strict";
(() => {
  const EVERY = 3000;
  const page = document.getElementById("dk-ticket");
  if (!page) return;
  const talk = document.getElementById("dk-talk");
  const changed = document.getElementById("dk-changed");
  const events = Number(page.dataset.events);
  let last = Number(page.dataset.last);

  const atEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 40;
  talk.scrollTop = talk.scrollHeight;

  function show(data) {
    const follow = atEnd();
    for (const message of data.messages) {
      // The server renders and escapes a message the same way for the page and for this.
      if (!talk.querySelector(`[data-message="${message.id}"]`)) talk.insertAdjacentHTML("beforeend", message.html);
    }
    last = data.last;
    for (const [id, delivery] of Object.entries(data.deliveries)) {
      const badge = talk.querySelector(`[data-delivery="${id}"]`);
      if (!badge || badge.textContent === delivery.label) continue;
      badge.className = `dk-badge dk-badge--${delivery.state}`;
      badge.textContent = delivery.label;
      badge.title = delivery.error;
    }
    if (data.messages.length && follow) talk.scrollTop = talk.scrollHeight;
    const state = document.getElementById("dk-state");
    state.className = `dk-state dk-state--${data.state}`;
    state.textContent = data.state_label;
    if (data.claimed_by) document.getElementById("dk-claimed").textContent = data.claimed_by;
    changed.hidden = data.events === events;
  }

  async function refresh() {
    try {
      const response = await fetch(`${page.dataset.updates}?after=${last}`, { headers: { Accept: "application/json" } });
      if (response.ok && (response.headers.get("Content-Type") || "").includes("json")) show(await response.json());
    } catch {
      // The console is restarting or the network is away: the next round asks again.
    }
    setTimeout(refresh, EVERY);
  }
  setTimeout(refresh, EVERY);
})();
