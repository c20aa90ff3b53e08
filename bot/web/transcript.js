/**
 * What this device remembers: the conversation's id, the chosen language and the last messages. Every change is read from
 * localStorage and written back at once, so that two tabs do not overwrite each other; without storage (private
 * mode, blocked in a frame) it lives as long as the page.
 *
 * Items, in the order they are shown:
 *   {kind: "mine", id, at, text, button, language, state: "sending"|"sent"|"failed", error, retryAt, staff}
 *   {kind: "reply", id: "r12", at, reply, emergency}
 *   {kind: "ticket", id: "t12", at, ticket}
 */

const KEY = "citydesk";
export const KEPT = 100;

function empty() {
  return { version: 1, conversation: newId(), chosen: null, told: null, cursor: 0, seen: [], items: [] };
}

/** Return a random id; crypto.randomUUID needs https or localhost, a test installation on http has neither. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Transcript {
  #memory = null;

  /** @param {() => void} onOtherTab called when another tab has changed what is remembered */
  constructor(onOtherTab) {
    this.#write(this.#read());
    addEventListener("storage", (event) => (event.key === KEY || event.key === null) && onOtherTab());
  }

  get conversation() {
    return this.#read().conversation;
  }

  get items() {
    return this.#read().items;
  }

  /** The language chosen in the menu, null while nobody chose. */
  get chosenLanguage() {
    return this.#read().chosen;
  }

  /** The chosen language if the desk has not been told yet in this conversation, else null. */
  get languageToTell() {
    const { chosen, told } = this.#read();
    return chosen !== told ? chosen : null;
  }

  /** Where to go on reading: all replies up to `after` have come in. */
  get position() {
    const { conversation, cursor } = this.#read();
    return { conversation, after: cursor };
  }

  /** The numbers of the requests made in this conversation. */
  get tickets() {
    return [...new Set(this.items.filter((item) => item.kind === "ticket").map((item) => item.ticket))];
  }

  chooseLanguage(code) {
    this.#change((state) => Object.assign(state, { chosen: code, told: null }));
  }

  /** The desk has heard this language. */
  languageTold(code) {
    this.#change((state) => (state.told = code));
  }

  add(item) {
    this.#change((state) => state.items.push({ at: Date.now(), ...item }));
  }

  /** Change one item; one that is sent again moves to the end. */
  update(id, changes, { moveToEnd = false } = {}) {
    this.#change((state) => {
      const index = state.items.findIndex((item) => item.id === id);
      if (index < 0) return;
      const [item] = state.items.splice(index, 1);
      state.items.splice(moveToEnd ? state.items.length : index, 0, { ...item, ...changes });
    });
  }

  /**
   * Add the replies that are new here; returns them.
   * @param {object[]} replies
   * @param {{streamed: boolean, emergency: boolean}} how only what was streamed or fetched comes without gaps, so
   *   only that moves the cursor: a staff answer with a smaller id may still be on its way.
   */
  addReplies(replies, { streamed = false, emergency = false } = {}) {
    return this.#change((state) => {
      const fresh = replies.filter((reply) => reply.id > state.cursor && !state.seen.includes(reply.id));
      for (const reply of fresh) {
        state.items.push({ kind: "reply", id: `r${reply.id}`, at: Date.now(), reply, emergency });
        state.seen.push(reply.id);
      }
      if (streamed && replies.length) {
        state.cursor = Math.max(state.cursor, ...replies.map((reply) => reply.id));
        state.seen = state.seen.filter((id) => id > state.cursor);
      }
      return fresh;
    });
  }

  /** The desk has erased everything: forget all items but this one. */
  keepOnly(id) {
    this.#change((state) => (state.items = state.items.filter((item) => item.id === id)));
  }

  /** Begin a new conversation; the chosen language stays. */
  renew() {
    this.#change((state) => Object.assign(state, empty(), { chosen: state.chosen }));
  }

  /** Forget everything on this device. */
  clear() {
    this.#memory = null;
    try {
      localStorage.removeItem(KEY);
    } catch {
      // there is no storage: nothing was kept
    }
    this.#write(this.#read());
  }

  #read() {
    try {
      const state = JSON.parse(localStorage.getItem(KEY));
      if (state?.version === 1) return state;
    } catch {
      // no storage, or not ours: what is in memory counts
    }
    return structuredClone((this.#memory ??= empty()));
  }

  #change(change) {
    const state = this.#read();
    const result = change(state);
    state.items.splice(0, state.items.length - KEPT);
    this.#write(state);
    return result;
  }

  #write(state) {
    this.#memory = state;
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      // full or forbidden: the page remembers until it is closed
    }
  }
}
