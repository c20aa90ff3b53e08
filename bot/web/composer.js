/** The form below the conversation: grows with its text, counts characters near the limit, knows Enter from an input method's Enter. */

import { text } from "./i18n.js";

const LIMIT = 1_000; // what the desk reads of a message (nlu/text.py)
const COUNT_FROM = 800;

export class Composer {
  /** @param {(words: string) => void} onSend */
  constructor(form, onSend) {
    this.input = form.querySelector("textarea");
    this.counter = form.querySelector("#counter");
    this.button = form.querySelector("[type=submit]");
    this.onSend = onSend;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.input.addEventListener("input", () => this.#follow());
    this.input.addEventListener("keydown", (event) => {
      // While Hangul, kana, pinyin or Telex is being composed, Enter belongs to the input method (229: Safari).
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#send();
    });
    addEventListener("resize", () => this.#follow());
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  /** Say the counter in the interface's language. */
  relabel() {
    this.#follow();
  }

  #send() {
    const words = this.input.value.trim();
    if (!words || this.#left() < 0) return;
    this.input.value = "";
    this.#follow();
    this.onSend(words);
  }

  #left() {
    return LIMIT - [...this.input.value.trim()].length;
  }

  #follow() {
    const left = this.#left();
    const near = left < LIMIT - COUNT_FROM;
    this.counter.textContent = near
      ? left < 0
        ? text("characters_over", { count: -left })
        : text("characters_left", { count: left })
      : "";
    this.counter.classList.toggle("over", left < 0);
    this.input.toggleAttribute("aria-invalid", left < 0);
    this.button.setAttribute("aria-disabled", String(left < 0 || left === LIMIT));
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
  }
}
