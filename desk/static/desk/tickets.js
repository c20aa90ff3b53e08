// Keeps the open page of a ticket up to date: new messages, how far each answer has come, who else looks at it, and
// the parts that have changed. What somebody is typing is never touched. Puts canned replies into the answer.
"use strict";
(() => {
  const EVERY = 3000;
  const page = document.getElementById("dk-ticket");
  if (!page) return;
  const talk = document.getElementById("dk-talk");
  const changed = document.getElementById("dk-changed");
  const loggedOut = document.getElementById("dk-logged-out");
  const viewers = document.getElementById("dk-viewers");
  let last = Number(page.dataset.last);
  let stamp = page.dataset.stamp;

  const atEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 40;
  talk.scrollTop = talk.scrollHeight;

  const touched = (field) =>
    field === document.activeElement ||
    (field.tagName === "SELECT"
      ? field.name !== "" && [...field.options].some((each) => each.selected !== each.defaultSelected && each.value)
      : field.type !== "hidden" && field.value !== field.defaultValue);

  // Text that a refused step gave back stands in the page as if it had been there from the start; it is kept too.
  const busy = (part) =>
    part.querySelector("[data-keep]") ||
    [...part.querySelectorAll("input, textarea, select")].some(touched) ||
    // A folded form nobody has opened holds what was sent, not what somebody writes.
    [...part.querySelectorAll("textarea")].some((field) => field.value !== "" && !field.closest("details:not([open])"));

  function showMessages(data) {
    const follow = atEnd();
    for (const message of data.messages) {
      // The server renders and escapes a message the same way for the page and for this.
      if (!talk.querySelector(`[data-message="${message.id}"]`)) talk.insertAdjacentHTML("beforeend", message.html);
    }
    last = data.last;
    if (data.messages.length && follow) talk.scrollTop = talk.scrollHeight;
  }

  function showParts(data) {
    let left = false;
    for (const [name, html] of Object.entries(data.parts)) {
      const part = document.getElementById(`dk-${name}`);
      if (busy(part)) left = true;
      else part.innerHTML = html;
    }
    // The answer part is left alone most often; the rest of the page shows why.
    if (Object.keys(data.parts).length) changed.hidden = !left;
    stamp = data.stamp;
  }

  function show(data) {
    showMessages(data);
    showParts(data);
    for (const [id, delivery] of Object.entries(data.deliveries)) {
      for (const badge of page.querySelectorAll(`[data-delivery="${id}"]`)) {
        if (badge.textContent === delivery.label) continue;
        badge.className = `dk-badge dk-badge--${delivery.state}`;
        badge.textContent = delivery.label;
        badge.title = delivery.error;
      }
    }
    for (const field of page.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = data.token;
    viewers.hidden = data.viewers.length === 0;
    viewers.querySelector("b").textContent = data.viewers.join(", ");
  }

  const isJson = (response) => (response.headers.get("Content-Type") || "").includes("json");

  async function refresh() {
    try {
      const asked = new URLSearchParams({ after: last, stamp });
      const response = await fetch(`${page.dataset.updates}?${asked}`, { headers: { Accept: "application/json" } });
      if (response.ok && isJson(response)) show(await response.json());
      // Led to the login page: sending now would lose what was typed.
      if (response.ok) loggedOut.hidden = isJson(response);
    } catch {
      // The console is restarting or the network is away: the next round asks again.
    }
    setTimeout(refresh, EVERY);
  }
  setTimeout(refresh, EVERY);

  // Asking for news is no sign that somebody sits here; typing is, and keeps the session from ending for want of use.
  let told = Date.now();
  page.addEventListener("input", () => {
    if (Date.now() - told < 60000) return;
    told = Date.now();
    fetch(page.dataset.here).catch(() => {});
  });

  function insert(field, text) {
    if (!field || !text) return;
    const before = field.value.trimEnd();
    field.value = before ? `${before}\n\n${text}` : text;
  }

  page.addEventListener("change", (event) => {
    if (event.target.id !== "dk-canned") return;
    const replies = JSON.parse(document.getElementById("dk-replies").textContent);
    const reply = replies.find((each) => String(each.id) === event.target.value);
    event.target.value = "";
    if (!reply) return;
    insert(document.getElementById("dk-answer-vi"), reply.text_vi);
    insert(document.getElementById("dk-answer-text"), reply.text);
    (reply.text ? document.getElementById("dk-answer-text") : event.target).focus();
  });
})();
