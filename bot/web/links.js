/** Makes web addresses, mail addresses and telephone numbers in plain text clickable, as DOM nodes. */

// No lookbehind: Safari has it only since 16.4, and older phones travel too. What may not stand before a match is asked apart.
const WEB = String.raw`https?:\/\/[^\s<>"“”«»（）「」]+|(?:[a-z0-9-]+\.)+(?:vn|gov|org|com)(?![\w-])(?:\/[^\s<>"“”«»（）「」]*)?`;
const MAIL = String.raw`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`;
// Vietnamese numbers (0… of 10 or 11 digits, 1900/1800 services) and +… of any country; not dates, hours or prices.
const TELEPHONE = String.raw`(?:\+\d(?:[ .\-()]?\d){7,14}|\(?0[2-9]\d{0,2}\)?(?:[ .-]?\d){7,9}|1[89]00(?:[ .]?\d){4,6})(?![\d/]|[.,]\d)`;
const SHORT = String.raw`11[1-5](?![\d/:%]|[.,-]\d)`;
const NOT_BEFORE = { web: /[\w@.-]/, mail: /[\w.+-]/, telephone: /[\d.,/:+-]/ };
// A text that names two of the emergency numbers means the numbers.
const SEVERAL = /(^|\D)11[345]\D(.*\D)?11[345](\D|$)/s;

/**
 * Return the nodes of a text, links among them.
 * @param {string} plain
 * @param {{emergency: boolean}} options emergency: a single 113, 114 or 115 is a telephone number here
 * @returns {(string|HTMLAnchorElement)[]}
 */
export function linked(plain, { emergency = false } = {}) {
  const short = emergency || SEVERAL.test(plain);
  const pattern = new RegExp(
    [`(?<mail>${MAIL})`, `(?<web>${WEB})`, `(?<telephone>${TELEPHONE}${short ? `|${SHORT}` : ""})`].join("|"),
    "giu",
  );
  const nodes = [];
  let end = 0;
  for (const match of plain.matchAll(pattern)) {
    const kind = Object.keys(NOT_BEFORE).find((name) => match.groups[name]);
    if (NOT_BEFORE[kind].test(plain.charAt(match.index - 1))) continue;
    const found = kind === "web" ? match[0].replace(/[.,;:!?)\]。，、；：！？]+$/u, "") : match[0];
    nodes.push(plain.slice(end, match.index), anchor(found, kind));
    end = match.index + found.length;
  }
  return [...nodes, plain.slice(end)].filter((node) => node !== "");
}

function anchor(found, kind) {
  if (kind === "mail") return link(`mailto:${found}`, found);
  if (kind === "telephone") return telephoneLink(found);
  return webLink(found.includes("://") ? found : `https://${found}`, found);
}

function link(href, label) {
  const element = document.createElement("a");
  element.href = href;
  element.textContent = label;
  return element;
}

/** Return a link that dials. */
export function telephoneLink(number) {
  const element = link(`tel:${number.replace(/[^\d+]/g, "")}`, number);
  element.className = "telephone";
  return element;
}

/** Return a link to another site, in a new tab; the label alone when the address is not a web address. */
export function webLink(url, label) {
  let address = null;
  try {
    address = new URL(url);
  } catch {
    // not an address
  }
  if (!["https:", "http:"].includes(address?.protocol)) return document.createTextNode(label);
  const element = link(address.href, label);
  element.target = "_blank";
  element.rel = "noopener noreferrer";
  return element;
}
