/** Draws the transcript: one element for each item, data only ever as text nodes. */

import { dayName, interfaceLanguage, languageName, longDate, text, textParts, timeOfDay } from "./i18n.js";
import { linked, telephoneLink, webLink } from "./links.js";

/** Make an element: `el("p", {class: "note", lang: "ko"}, "text", node …)`; null attributes are left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Keeps the log in step with the items: what is unchanged stays (and is not read out again), what is new is added.
 * `actions` are what a reader can do in the log: {press(button), retry(id)}.
 */
export class LogView {
  #drawn = new Map();

  constructor(log, actions) {
    this.log = log;
    this.actions = actions;
  }

  /** Draw the items; returns the elements that are new. */
  show(items) {
    const wanted = withDays(items);
    const keys = new Set(wanted.map((item) => item.id));
    for (const [key, { element }] of this.#drawn) {
      if (!keys.has(key)) {
        element.remove();
        this.#drawn.delete(key);
      }
    }
    const added = [];
    let before = null;
    for (const item of wanted) {
      const content = JSON.stringify(item);
      let drawn = this.#drawn.get(item.id);
      if (drawn?.content !== content) {
        const element = this.#draw(item);
        if (drawn) drawn.element.replaceWith(element);
        else added.push(element);
        drawn = { element, content };
        this.#drawn.set(item.id, drawn);
      }
      const place = before ? before.nextSibling : this.log.firstChild;
      if (place !== drawn.element) this.log.insertBefore(drawn.element, place);
      before = drawn.element;
    }
    return added;
  }

  /** Draw everything anew, silently: the interface's language or the conversation has changed. */
  redraw(items) {
    this.log.setAttribute("aria-live", "off");
    this.log.replaceChildren();
    this.#drawn.clear();
    this.show(items);
    setTimeout(() => this.log.setAttribute("aria-live", "polite"), 500);
  }

  #draw(item) {
    if (item.kind === "day") return el("p", { class: "day" }, dayName(item.at));
    if (item.kind === "ticket") return el("p", { class: "ticket" }, ...ticketText("ticket_opened", item.ticket));
    if (item.kind === "mine") return this.#drawMine(item);
    return this.#drawReply(item);
  }

  #drawMine(item) {
    const state = { sending: text("sending"), sent: item.staff ? text("with_staff") : "" }[item.state];
    const bubble = el("article", { class: "mine", lang: item.replyLanguage }, hidden(`${text("you")}: `), item.text);
    return el(
      "div",
      { class: `message from-me ${item.state}`, id: `m-${item.id}` },
      bubble,
      state ? el("p", { class: "state" }, state) : null,
      item.state === "failed" ? this.#drawFailure(item) : null,
    );
  }

  #drawFailure(item) {
    const again = el("button", { type: "button", class: "again", click: () => this.actions.retry(item.id) }, text("try_again"));
    const wait = (item.retryAt ?? 0) - Date.now();
    if (wait > 0) {
      again.disabled = true;
      setTimeout(() => (again.disabled = false), Math.min(wait, 600_000));
    }
    const reason = item.error || (item.errorKind === "network" ? text("failed_network") : text("failed_server"));
    return el("div", { class: "failure" }, el("p", {}, reason), again);
  }

  #drawReply({ reply, at, emergency }) {
    const staff = reply.author === "staff";
    const plate = staff
      ? el("header", { class: "plate" }, el("strong", {}, text("staff_answer")), staffTicket(reply), el("time", {}, timeOfDay(at)))
      : hidden(`${text("machine")}: `);
    const bubble = el(
      "article",
      { class: staff ? "reply staff" : "reply" },
      plate,
      ...notes(reply),
      el("div", { class: "text", lang: reply.language }, ...linked(reply.text.trim(), { emergency })),
      ...pictures(reply),
      facts(reply),
      sourceLine(reply),
    );
    const buttons = (reply.buttons ?? []).map((button) =>
      el("button", { type: "button", class: "choice", lang: reply.language, click: () => this.actions.press(button) }, button.label),
    );
    return el(
      "div",
      { class: "message from-desk", "data-author": reply.author },
      bubble,
      buttons.length ? el("div", { class: "choices" }, ...buttons) : null,
    );
  }
}

/** Put the name of the day before the first item of each day, unless all is of today. */
function withDays(items) {
  const day = (at) => new Date(at).toDateString();
  if (items.every((item) => day(item.at) === day(Date.now()))) return items;
  let last = "";
  return items.flatMap((item) => {
    if (day(item.at) === last) return [item];
    last = day(item.at);
    return [{ kind: "day", id: `d-${last}`, at: new Date(item.at).setHours(0, 0, 0, 0) }, item];
  });
}

function hidden(words) {
  return el("span", { class: "visually-hidden", lang: interfaceLanguage() }, words);
}

function ticketText(key, ticket) {
  return textParts(key, { ticket: el("strong", { class: "number", translate: "no" }, ticket) });
}

function staffTicket(reply) {
  return reply.ticket ? el("span", {}, ...ticketText("ticket_number", reply.ticket)) : null;
}

function notes(reply) {
  const lines = [
    reply.fallback && text("fallback_note", { language: languageName(reply.language) }),
    reply.outdated && text("outdated_note"),
    reply.clarification && text("clarification_line", { date: longDate(reply.verified_on) }),
    reply.event && text("event_line", { days: reply.event }),
  ];
  return lines.filter(Boolean).map((line) => el("p", { class: "note" }, line));
}

/** Address, telephone and website of an answer, where it has them. */
function facts(reply) {
  const rows = [];
  const { place, phone, web } = reply;
  if (place) {
    const address = [place.name, place.address].filter(Boolean).join(", ");
    rows.push([text("place_label"), el("span", { lang: "vi" }, address), outside(mapUrl(place), text("map_link"), "map")]);
  }
  if (phone) rows.push([text("phone_label"), telephoneLink(phone)]);
  if (web) rows.push([text("web_label"), outside(web, web.replace(/^https?:\/\/(www\.)?|\/$/g, ""))]);
  for (const file of (reply.files ?? []).filter(({ kind }) => kind === "document")) {
    rows.push([text("document_label"), el("a", { href: file.url, download: "" }, `${file.title} (${sizeText(file.size)})`)]);
  }
  if (!rows.length) return null;
  return el(
    "dl",
    { class: "facts" },
    ...rows.map(([name, ...values]) => el("div", {}, el("dt", {}, name), ...values.map((value) => el("dd", {}, value)))),
  );
}

/** The pictures of an answer, each with what it shows; the whole picture opens in a tab of its own. */
function pictures(reply) {
  return (reply.files ?? [])
    .filter(({ kind }) => kind === "picture")
    .map(({ url, title }) => {
      const link = outside(new URL(url, location.href).href, "");
      link.className = "picture";
      link.prepend(el("img", { src: url, alt: title, lang: reply.language, loading: "lazy" }));
      return link;
    });
}

function sizeText(size) {
  return size >= 1e6 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(size / 1e3))} kB`;
}

/** A map of the place: its pin where the coordinates are known, else a search for its name. */
function mapUrl({ name, latitude, longitude }) {
  if (Number.isFinite(latitude) && Number.isFinite(longitude)) {
    return `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`;
  }
  return `https://www.openstreetmap.org/search?${new URLSearchParams({ query: name })}`;
}

function outside(url, words, className = null) {
  const link = webLink(url, words);
  if (link instanceof HTMLAnchorElement) {
    link.append(el("span", { class: "visually-hidden" }, ` (${text("new_tab")})`));
    if (className) link.className = className;
  }
  return link;
}

function sourceLine({ source, verified_on: verified }) {
  if (!source && !verified) return null;
  const date = verified ? el("time", { datetime: verified }, longDate(verified)) : "";
  const title = source ? outside(source.url, source.title) : "";
  const parts =
    source && verified
      ? textParts("source_checked", { title, date })
      : source
        ? textParts("source_only", { title })
        : textParts("checked_only", { date });
  return el("footer", { class: "source" }, ...parts);
}
