/**
 * The chat on another site, with one tag:
 *   <script src="https://HOST/widget.js" data-language="vi" async></script>
 * A button in the corner opens the chat in a frame; everything stands in a shadow tree, so that the site's styles and
 * ours do not touch. data-language is optional (else the page's, else the browser's language).
 */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || document.querySelector("[data-citydesk-widget]")) return;
  const host = new URL(script.src).origin;
  const language = (script.dataset.language || document.documentElement.lang || navigator.language || "en").split(/[-_]/)[0];

  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button { font: 600 17px/1.2 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; cursor: pointer; }
    button:focus-visible { outline: 3px solid #d97a00; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .launch {
      position: fixed; z-index: 2147483000; display: flex; align-items: center; gap: 10px; min-height: 56px;
      right: calc(20px + env(safe-area-inset-right)); bottom: calc(20px + env(safe-area-inset-bottom));
      max-width: calc(100vw - 40px); padding: 8px 20px 8px 10px; border: 2px solid #fff; border-radius: 999px;
      background: #0b4f4a; color: #fff; box-shadow: 0 6px 22px rgb(0 0 0 / .3);
    }
    .launch:hover { background: #083c38; }
    .launch img { width: 36px; height: 36px; border-radius: 50%; }
    .launch span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .launch img, .unread { flex: none; }
    .unread { padding: 3px 10px; border-radius: 999px; background: #f2c66d; color: #3a2500; font-size: 14px; }
    dialog {
      position: fixed; z-index: 2147483001; inset: auto 20px 20px auto; width: 420px; height: min(680px, calc(100vh - 40px));
      max-width: none; max-height: none; margin: 0; padding: 0; border: 0; border-radius: 18px; overflow: hidden;
      background: #f5f3ec; box-shadow: 0 16px 50px rgb(0 0 0 / .35);
    }
    dialog::backdrop { background: transparent; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    .close {
      position: absolute; top: calc(8px + env(safe-area-inset-top)); right: 8px; width: 44px; height: 44px; padding: 0; border: 0;
      border-radius: 10px; background: #083c38; color: #fff; font-size: 24px;
    }
    @media (max-width: 640px), (max-height: 520px) {
      dialog { inset: 0; width: 100%; height: 100%; height: 100dvh; border-radius: 0; }
    }
    @media (forced-colors: active) { .launch, .close { border: 2px solid ButtonText; } }
    @media print { :host { display: none; } }`;
  const small = matchMedia("(max-width: 640px), (max-height: 520px)");

  /** Make an element with its attributes. */
  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  const caption = make("span", {}, "Citydesk");
  const unread = make("span", { class: "unread", role: "status", hidden: "" });
  const picture = make("img", { src: `${host}/static/favicon.svg`, alt: "" });
  const launch = make("button", { type: "button", class: "launch", "aria-haspopup": "dialog", "aria-expanded": "false" }, picture, caption, unread);
  const close = make("button", { type: "button", class: "close", "aria-label": "×" }, "×");
  const dialog = make("dialog", { "aria-label": "Citydesk" });
  let frame = null;
  let ready = false;
  let unreadText = "•";

  function open() {
    if (dialog.open) return;
    if (!frame) {
      frame = make("iframe", { src: `${host}/embed?language=${encodeURIComponent(language)}`, title: dialog.getAttribute("aria-label") });
      dialog.append(frame, close); // the close button comes after the conversation, and is there even if that does not load
    }
    if (small.matches) dialog.showModal();
    else dialog.show();
    launch.setAttribute("aria-expanded", "true");
    launch.hidden = true;
    unread.hidden = true;
    greet();
  }

  /** Tell the chat that it is seen now, so that it takes the focus to where one writes. */
  function greet() {
    if (!dialog.open || !ready) return;
    frame.focus();
    frame.contentWindow.postMessage("citydesk:opened", host);
  }

  function closed() {
    launch.hidden = false;
    launch.setAttribute("aria-expanded", "false");
    launch.focus();
  }

  launch.addEventListener("click", open);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", closed);
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    dialog.close();
  });
  addEventListener("message", (event) => {
    if (event.origin !== host || !frame || event.source !== frame.contentWindow) return;
    if (event.data === "citydesk:ready") {
      ready = true;
      greet();
    }
    if (event.data === "citydesk:close") dialog.close();
    if (event.data === "citydesk:unread" && !dialog.open) {
      unread.textContent = unreadText;
      unread.hidden = false;
    }
  });

  const root = make("div", { "data-citydesk-widget": "" });
  const shadow = root.attachShadow({ mode: "open" });
  try {
    const sheet = new CSSStyleSheet(); // unlike a style element, allowed by a policy without 'unsafe-inline'
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    shadow.append(make("style", {}, STYLE));
  }
  shadow.append(launch, dialog);
  const attach = () => document.body.append(root);
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);

  /** Label the widget in the reader's language; if the texts do not come, it is called Citydesk. */
  fetch(`${host}/api/texts?language=${encodeURIComponent(language)}`)
    .then((response) => response.json())
    .then((answer) => {
      const text = (key) => answer.texts[key].replaceAll("{city}", answer.city || "");
      root.lang = answer.language;
      caption.textContent = text("widget_open");
      unreadText = text("widget_unread");
      close.setAttribute("aria-label", text("close"));
      dialog.setAttribute("aria-label", text("title"));
      if (frame) frame.title = text("title");
    })
    .catch(() => {});
})();
