// Starts what Wagtail's own templates start with inline scripts, which our content policy does not run: date and time
// choosers, choosers of entries and documents, inline panels. The templates in desk/templates/wagtailadmin/ and
// desk/security_wagtail.py say in data attributes what to start.
(() => {
  const start = (mark) => {
    if (mark.dataset.panel) {
      new window[mark.dataset.panel](JSON.parse(mark.dataset.options));
    } else if (mark.dataset.widget) {
      new window[mark.dataset.widget](mark.dataset.for, JSON.parse(mark.dataset.config));
    } else {
      window[mark.dataset.chooser](mark.dataset.for, JSON.parse(mark.dataset.config));
    }
  };

  const find = (root) => {
    for (const mark of root.querySelectorAll("span[data-chooser], span[data-panel], span[data-widget]")) {
      if (mark.dataset.started) continue;
      mark.dataset.started = "yes";
      start(mark);
    }
  };

  const begin = () => {
    find(document);
    // An inline panel puts in new forms when somebody presses "add".
    new MutationObserver((changes) => {
      if (changes.some((change) => change.addedNodes.length)) find(document);
    }).observe(document.body, { childList: true, subtree: true });
  };

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", begin);
  } else {
    begin();
  }
})();
