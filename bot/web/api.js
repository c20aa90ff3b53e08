/** The JSON API (openapi.yml), and the stream of what is said later. */

const TIMEOUT_MS = 30_000;
const UPLOAD_MS = 180_000;
const POLL_MS = 5_000;
const HIDDEN_POLL_MS = 30_000;
const STREAM_AGAIN_MS = 60_000;
const FULL_PAGE = 100;

/** What went wrong with a request: `kind` is "network" or "server"; `message` is the desk's own, or "". */
export class ApiError extends Error {
  constructor(kind, message = "", { status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.name = "ApiError";
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Send one message or button; the desk says errors in `language`. */
export function postMessage(body, language) {
  return request("/api/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: JSON.stringify(body),
  });
}

/** Send a file as it is; its name and whose it is stand in the address. */
export function postFile(file, query, language) {
  return request(`/api/files?${new URLSearchParams({ ...query, name: file.name })}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", "Accept-Language": language },
    body: file,
  }, UPLOAD_MS);
}

/** The address of everything the desk holds about a conversation: a file to download. */
export function myDataUrl(conversation) {
  return `/api/mydata?${new URLSearchParams({ conversation })}`;
}

/** Fetch the interface's texts. */
export function getTexts(language) {
  return request(`/api/texts?${new URLSearchParams({ language })}`);
}

/** Fetch the questions to start with. */
export async function getQuestions(language) {
  return (await request(`/api/topics?${new URLSearchParams({ language })}`)).questions;
}

function getMessages(conversation, after) {
  return request(`/api/messages?${new URLSearchParams({ conversation, after })}`);
}

async function request(url, options = {}, timeout = TIMEOUT_MS) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  try {
    const response = await fetch(url, { cache: "no-store", ...options, signal: abort.signal });
    const body = await response.json().catch(() => null);
    if (response.ok && body) return body;
    throw new ApiError("server", body?.error?.message ?? "", {
      status: response.status,
      retryAfter: Number(response.headers.get("Retry-After")) || 0,
    });
  } catch (error) {
    throw error instanceof ApiError ? error : new ApiError("network");
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Receives what is said later: over server-sent events while the page is seen, by polling when they fail, slowly
 * while it is hidden. Whoever listens must expect a reply more than once.
 */
export class Receiver {
  /**
   * @param {() => {conversation: string, after: number}} position where to go on reading
   * @param {(replies: object[]) => void} onReplies
   */
  constructor(position, onReplies) {
    this.position = position;
    this.onReplies = onReplies;
    this.running = false;
    this.errors = 0;
    document.addEventListener("visibilitychange", () => this.running && this.restart());
    addEventListener("online", () => this.running && this.restart());
  }

  /** Begin; does nothing when it runs already. */
  start() {
    if (!this.running) this.restart();
  }

  /** Catch up now and go on from there. */
  restart() {
    this.stop();
    this.running = true;
    if (document.hidden || !("EventSource" in window)) this.#poll();
    else this.#catchUp().then((current) => current && this.#stream());
  }

  /** Stop receiving. */
  stop() {
    this.running = false;
    this.round = (this.round ?? 0) + 1;
    this.source?.close();
    this.source = null;
    clearTimeout(this.timer);
  }

  /** Fetch all there is; returns false when the receiver was stopped meanwhile. */
  async #catchUp() {
    const round = this.round;
    try {
      for (let more = true; more; ) {
        const { conversation, after } = this.position();
        const { replies } = await getMessages(conversation, after);
        if (round !== this.round) return false;
        if (replies.length) this.onReplies(replies);
        more = replies.length >= FULL_PAGE;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // offline or busy: the next round fetches it
    }
    return round === this.round;
  }

  #stream() {
    const { conversation, after } = this.position();
    const source = new EventSource(`/api/events?${new URLSearchParams({ conversation, after })}`);
    this.source = source;
    source.addEventListener("open", () => (this.errors = 0));
    source.addEventListener("reply", (event) => this.onReplies([JSON.parse(event.data)]));
    source.addEventListener("error", () => {
      this.errors += 1;
      if (source.readyState !== EventSource.CLOSED && this.errors < 3) return; // the browser tries again by itself
      source.close();
      this.errors = 0;
      this.streamAgain = Date.now() + STREAM_AGAIN_MS;
      if (this.source === source) this.#poll();
    });
  }

  async #poll() {
    if (!(await this.#catchUp())) return;
    if (!document.hidden && this.streamAgain && Date.now() > this.streamAgain) {
      this.streamAgain = 0;
      this.#stream();
      return;
    }
    this.timer = setTimeout(() => this.#poll(), document.hidden ? HIDDEN_POLL_MS : POLL_MS);
  }
}
