/** The interface's language: its texts, and how it writes dates and names. */

import { getTexts } from "./api.js";

let language = "en";
let templates = {};
let everywhere = {};

/** The language that the interface is in now. */
export function interfaceLanguage() {
  return language;
}

/** Fetch the texts of a language and use them from now on; throws an ApiError and changes nothing when that fails. */
export async function useLanguage(code) {
  const answer = await getTexts(code);
  language = answer.language;
  templates = language === "fr" ? keepTogether(answer.texts) : answer.texts;
  everywhere = { city: answer.city ?? "", days: answer.days ?? "", ticket_days: answer.ticket_days ?? "" };
}

/** French puts a space before : ; ? ! and inside « »: one at which a line must not break. */
function keepTogether(texts) {
  const kept = (words) => words.replace(/ (?=[:;?!»])/g, "\u00a0").replaceAll("« ", "«\u00a0");
  return Object.fromEntries(Object.entries(texts).map(([key, words]) => [key, kept(words)]));
}

/** Return the text of a key, its {placeholders} filled. */
export function text(key, values = {}) {
  return textParts(key, values).join("");
}

/**
 * Return the text of a key in pieces, so that a placeholder can be a DOM node (a link in the middle of a sentence).
 * @returns {(string|Node)[]}
 */
export function textParts(key, values = {}) {
  const known = { ...everywhere, ...values };
  return (templates[key] ?? key)
    .split(/(\{\w+\})/)
    .filter(Boolean)
    .map((piece) => (/^\{\w+\}$/.test(piece) ? known[piece.slice(1, -1)] ?? piece : piece));
}

/** Label everything below `root` that asks for it: data-text, data-text-label, data-text-placeholder, data-text-title. */
export function label(root) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  const attributes = { textLabel: "aria-label", textPlaceholder: "placeholder", textTitle: "title" };
  for (const [name, attribute] of Object.entries(attributes)) {
    const selector = `[data-${name.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const element of root.querySelectorAll(selector)) {
      element.setAttribute(attribute, text(element.dataset[name]));
    }
  }
}

/** Return our code for the first tag that we speak, such as "zh" for "zh-Hant-TW"; null for none. */
export function supportedLanguage(tags, codes) {
  const bases = [...tags].map((tag) => String(tag).split(/[-_]/)[0].toLowerCase());
  return bases.find((base) => codes.includes(base)) ?? null;
}

/** Write an ISO date ("2026-11-22") as the interface's language does. */
export function longDate(iso) {
  const [year, month, day] = iso.split("-").map(Number);
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(new Date(year, month - 1, day));
}

/** Write the day of a moment, and its time of day. */
export function dayName(moment) {
  return new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" }).format(moment);
}
export function timeOfDay(moment) {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(moment);
}

/** Name a language in the interface's language. */
export function languageName(code) {
  return new Intl.DisplayNames([language], { type: "language" }).of(code) ?? code;
}
