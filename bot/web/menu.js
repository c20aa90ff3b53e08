/** The menu on narrow screens, and the dialogs. */

const $ = (id) => document.getElementById(id);

/** Let the menu button open and close the panel, as a disclosure: Escape and a choice close it. */
export function setUpMenu() {
  const button = $("menu");
  const panel = $("panel");
  const open = (state) => {
    button.setAttribute("aria-expanded", String(state));
    panel.classList.toggle("open", state);
  };
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || button.getAttribute("aria-expanded") !== "true") return;
    event.preventDefault();
    open(false);
    button.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#panel button") || !event.target.closest("#panel, #menu")) open(false);
  });
}

/** Ask before something is removed from the device; resolves to whether the reader agreed. */
export function confirmed(title, question, warning) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-question").textContent = question;
  $("confirm-warning").textContent = warning;
  $("confirm-warning").hidden = !warning;
  $("confirm-yes").textContent = title;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
