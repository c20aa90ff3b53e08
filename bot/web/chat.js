/** The web chat: brings the page, the transcript and the API together (index.html; in the widget its body has the class "embedded"). */

import { ApiError, Receiver, getQuestions, myDataUrl, postFile, postMessage } from "./api.js";
import { Composer } from "./composer.js";
import { interfaceLanguage, label, supportedLanguage, text, useLanguage } from "./i18n.js";
import { linked } from "./links.js";
import { confirmed, setUpMenu } from "./menu.js";
import { KEPT, Transcript, newId } from "./transcript.js";
import { LogView, el } from "./view.js";

const RESEND_MS = 1_500;
const SHOW_TYPING_MS = 250;
const GIVE_UP_MS = 10 * 60_000;

const $ = (id) => document.getElementById(id);
const embedded = document.body.classList.contains("embedded");
const mouse = matchMedia("(hover: hover) and (pointer: fine)");
const menu = $("language");
const codes = [...menu.options].map((option) => option.value);

const transcript = new Transcript(() => view && draw());
const receiver = new Receiver(() => transcript.position, receive);
const waiting = [];
// The files being sent, by message: a chosen file does not outlive the page.
const files = new Map();
let view = null;
let composer = null;
let busy = false;
let unread = 0;

start();

async function start() {
  const asked = new URLSearchParams(location.search).get("language");
  const first = transcript.chosenLanguage ?? supportedLanguage([asked, ...navigator.languages], codes) ?? "en";
  try {
    await useLanguage(first);
  } catch {
    $("load-failed").hidden = false;
    $("reload").addEventListener("click", () => location.reload());
    return;
  }
  view = new LogView($("log"), { press: (button) => say({ text: button.label, button: button.id }), retry });
  composer = new Composer($("form"), (words) => {
    say({ text: words });
    composer.focus();
  });
  setUpMenu();
  menu.addEventListener("change", changeLanguage);
  $("attach").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", sendFile);
  $("person").addEventListener("click", () => say({ text: text("person_button") }));
  $("new").addEventListener("click", () => forget(text("new_conversation"), text("new_confirm"), () => transcript.renew()));
  $("clear").addEventListener("click", () => forget(text("clear_device"), text("clear_confirm"), () => transcript.clear()));
  $("privacy").addEventListener("click", () => $("privacy-dialog").showModal());
  $("download").addEventListener("click", download);
  $("erase").addEventListener("click", () => say({ text: "/forget" }));
  $("jump").addEventListener("click", () => scrollTo($("log").lastElementChild));
  $("scroller").addEventListener("scroll", () => nearEnd() && ($("jump").hidden = true), { passive: true });
  addEventListener("online", showOffline);
  addEventListener("offline", showOffline);
  addEventListener("message", (event) => embedded && event.source === parent && event.data === "citydesk:opened" && opened());
  document.addEventListener("visibilitychange", () => document.hidden || setUnread(0));
  if (embedded) document.addEventListener("keydown", closeOnEscape);
  relabel();
  finishSending();
  if (transcript.items.length) receiver.start();
  document.documentElement.removeAttribute("data-loading");
  draw();
  if (transcript.items.length) $("scroller").scrollTop = $("scroller").scrollHeight;
  if (embedded) tellParent("citydesk:ready");
  else if (mouse.matches) composer.focus();
}

/** Put every text of the page into the interface's language. */
function relabel() {
  const code = interfaceLanguage();
  document.documentElement.lang = code;
  menu.value = code;
  label(document);
  $("emergency").replaceChildren(...linked(text("emergency_line"), { emergency: true }));
  $("privacy-device").textContent = text("privacy_device", { count: KEPT });
  composer.relabel();
  view.redraw(transcript.items);
  setUnread(unread);
  showOffline();
  suggest();
}

async function changeLanguage() {
  const code = menu.value;
  try {
    await useLanguage(code);
  } catch {
    menu.value = interfaceLanguage();
    $("notice").textContent = text("language_failed");
    return;
  }
  $("notice").textContent = "";
  transcript.chooseLanguage(code);
  relabel();
}

/** Offer questions to start with while nothing has been said. */
async function suggest() {
  const language = interfaceLanguage();
  const questions = await getQuestions(language).catch(() => []);
  if (language !== interfaceLanguage()) return;
  const buttons = questions.map((question) =>
    el("li", {}, el("button", { type: "button", class: "choice", click: () => say({ text: question }) }, question)),
  );
  $("starters").replaceChildren(...buttons);
  $("starter-title").hidden = !buttons.length;
}

/** Say something: it is remembered first, then sent; messages go out one after the other. */
function say({ text: words, button = null }) {
  const id = newId();
  transcript.add({ kind: "mine", id, text: words, button, language: transcript.languageToTell, state: "sending" });
  send(id);
}

/** Send the chosen file; the desk says whether it keeps it. */
function sendFile() {
  const file = $("file").files[0];
  $("file").value = "";
  if (!file) return;
  const id = newId();
  files.set(id, file);
  transcript.add({ kind: "mine", id, text: `📎 ${file.name}`, file: true, language: transcript.languageToTell, state: "sending" });
  send(id);
}

/** Send a message that failed again, under the same id, so that it is never taken twice. */
function retry(id) {
  transcript.update(id, { state: "sending", error: "", retryAt: 0 }, { moveToEnd: true });
  send(id);
  if (mouse.matches) composer.focus();
}

function send(id) {
  waiting.push(id);
  scrollTo(draw().at(-1));
  work();
}

/** Send again what was on its way when the page was closed; what is older than that waits for the reader. */
function finishSending() {
  for (const item of transcript.items) {
    if (item.kind !== "mine" || item.state !== "sending") continue;
    if (!item.file && Date.now() - item.at < GIVE_UP_MS) waiting.push(item.id);
    else transcript.update(item.id, { state: "failed", errorKind: "network" });
  }
  work();
}

async function work() {
  if (busy) return;
  busy = true;
  const typing = setTimeout(() => setTyping(true), SHOW_TYPING_MS);
  while (waiting.length) await deliver(waiting.shift());
  clearTimeout(typing);
  setTyping(false);
  busy = false;
}

async function deliver(id) {
  const conversation = transcript.conversation;
  const item = transcript.items.find((each) => each.id === id);
  if (!item) return;
  const said = item.button ? { button: item.button } : { text: item.text };
  try {
    const result = item.file ? await upload(item) : await post({ conversation, ...said, language: item.language, message_id: id });
    files.delete(id);
    if (conversation !== transcript.conversation) return;
    if (item.language) transcript.languageTold(item.language);
    const silent = result.outcome === "handed_off" && !result.replies.length;
    transcript.update(id, { state: "sent", staff: silent, replyLanguage: item.language ? null : result.language });
    if (result.replies.some((reply) => reply.receipt)) transcript.keepOnly(id);
    const emergency = result.outcome === "emergency";
    const fresh = transcript.addReplies(result.replies, { emergency });
    const known = transcript.tickets.includes(result.ticket);
    if (result.ticket && !known) transcript.add({ kind: "ticket", id: `t-${result.ticket}`, ticket: result.ticket });
    receiver.start();
    const added = draw();
    if (fresh.length) scrollTo(added[0]);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const retryAt = error.retryAfter ? Date.now() + error.retryAfter * 1000 : 0;
    transcript.update(id, { state: "failed", error: error.message, errorKind: error.kind, retryAt });
    draw();
    scrollTo($("log").lastElementChild);
  }
}

/** Post a message; when the connection breaks (a tunnel, a change of network), once more by itself. */
async function post(body) {
  try {
    return await postMessage(body, interfaceLanguage());
  } catch (error) {
    if (error.kind !== "network" || !navigator.onLine) throw error;
    await new Promise((resolve) => setTimeout(resolve, RESEND_MS));
    return postMessage(body, interfaceLanguage());
  }
}

/** Upload a file; after a reload it is gone from the page and has to be chosen again. */
function upload({ id, language }) {
  const file = files.get(id);
  if (!file) throw new ApiError("server", text("file_again"));
  return postFile(file, { conversation: transcript.conversation, message_id: id, ...(language && { language }) }, interfaceLanguage());
}

/** Take replies that come by themselves: answers of the staff above all. */
function receive(replies) {
  const stay = !nearEnd();
  const fresh = transcript.addReplies(replies, { streamed: true });
  if (!fresh.length) return;
  const added = draw();
  if (stay) $("jump").hidden = false;
  else scrollTo(added[0]);
  if (fresh.some((reply) => reply.author === "staff")) {
    if (document.hidden) setUnread(unread + 1);
    tellParent("citydesk:unread");
  }
}

/** Draw what has changed; returns the elements that are new. */
function draw() {
  const items = transcript.items;
  $("intro").hidden = items.length > 0;
  document.body.classList.toggle("talking", items.length > 0);
  return view.show(items);
}

/** Ask, then begin anew; a reader who waits for an answer of the staff is told what they lose. */
async function forget(title, question, act) {
  const tickets = transcript.tickets.join(", ");
  const warning = tickets ? text("ticket_warning", { ticket: tickets }) : "";
  if (transcript.items.length && !(await confirmed(title, question, warning))) return;
  receiver.stop();
  waiting.length = 0;
  act();
  view.redraw(transcript.items);
  draw();
  $("jump").hidden = true;
  $("scroller").scrollTop = 0;
  composer.focus();
}

/** Let the reader keep what the desk holds about this conversation. */
function download() {
  const link = el("a", { href: myDataUrl(transcript.conversation), download: "citydesk.json" });
  document.body.append(link); // Firefox follows no link that is not on the page
  link.click();
  link.remove();
}

function setTyping(shown) {
  $("typing").hidden = !shown;
  $("typing-text").textContent = shown ? text("thinking") : "";
  if (shown && nearEnd(200)) $("scroller").scrollTop = $("scroller").scrollHeight;
}

function showOffline() {
  $("notice").textContent = navigator.onLine ? "" : text("offline");
}

function setUnread(count) {
  unread = count;
  document.title = count ? `(${count}) ${text("title")}` : text("title");
}

function nearEnd(slack = 80) {
  const { scrollHeight, scrollTop, clientHeight } = $("scroller");
  return scrollHeight - scrollTop - clientHeight < slack;
}

/** Scroll to the start of an element, not past it: a long answer is read from its first line. */
function scrollTo(element) {
  if (!element) return;
  const scroller = $("scroller");
  const top = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
  const target = Math.max(0, top - $("machine").offsetHeight - 16);
  const far = Math.abs(target - scroller.scrollTop) > 2 * scroller.clientHeight;
  scroller.scrollTo({ top: target, behavior: far ? "instant" : "auto" });
}

function tellParent(message) {
  if (embedded && parent !== window) parent.postMessage(message, "*"); // says nothing about the conversation
}

function closeOnEscape(event) {
  if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) tellParent("citydesk:close");
}

function opened() {
  if (mouse.matches) composer.focus();
  else $("scroller").focus();
}
