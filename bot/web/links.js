/** Makes web addresses, mail addresses and telephone numbers in plain text clickable, as DOM nodes. */

const WEB = String.raw`https?:\/\/[^\s<>"“”«»（）「」]+|(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:vn|gov|org|com)(?![\w-])(?:\/[^\s<>"“”«»（）「」]*)?`;
const MAIL = String.raw`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`;
// Vietnamese numbers (0… of 10 or 11 digits, 1900/1800 services) and +… of any country; not dates, hours or prices.
const TELEPHONE = String.raw`(?<![\d.,/])(?:\+\d(?:[ .\-()]?\d){7,14}|\(?0[2-9]\d{0,2}\)?(?:[ .-]?\d){7,9}|1[89]00(?:[ .]?\d){4,6})(?![\d/]|[.,]\d)`;
const SHORT = String.raw`(?<![\d.,/:+-])(?:11[1-5]|112)(?![\d/:%]|[.,-]\d)`;

/**
 * Return the nodes of a text, links among them.
 * @param {string} plain
 * @param {{emergency: boolean}} options emergency: 113, 114, 115 … are telephone numbers here
 * @returns {(string|HTMLAnchorElement)[]}
 */
export function linked(plain, { emergency = false } = {}) {
  const pattern = new RegExp(
    [`(?<mail>${MAIL})`, `(?<web>${WEB})`, `(?<telephone>${TELEPHONE}${emergency ? `|${SHORT}` : ""})`].join("|"),
    "giu",
  );
  const nodes = [];
  let end = 0;
  for (const match of plain.matchAll(pattern)) {
    const found = match.groups.web ? match[0].replace(/[.,;:!?)\]。，、；：！？]+$/u, "") : match[0];
    nodes.push(plain.slice(end, match.index), anchor(found, match.groups));
    end = match.index + found.length;
  }
  return [...nodes, plain.slice(end)].filter((node) => node !== "");
}

function anchor(found, groups) {
  if (groups.mail) return link(`mailto:${found}`, found);
  if (groups.telephone) return telephoneLink(found);
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
