/**
 * Say sentences in the language of a page, as `d2lconv.language` does: a catalogue has each sentence in English, with
 * gaps `{}` for what changes, and the same in that language, whose gaps may be numbered. Text in a gap is translated in
 * turn, and so is each part of a list. What is not in the catalogue stays as it is.
 */

const GAP = /\{(\d*)\}/g;
const JOINED = /(, | and | or )/;
const WORD = /^(?:[\p{L}\p{N}_.]+|`[^`]+`)$/u;
const FOREIGN = /[^\P{L}A-Za-z]/u; // a letter that English has not
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** Return the function that translates by a catalogue. */
export function translator(catalogue) {
  const exact = new Map(Object.entries(catalogue));
  const patterns = [...exact.keys()]
    .filter((text) => text.includes("{}"))
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .map((text) => [new RegExp(`^${text.split("{}").map(escaped).join("([^]+?)")}$`, "u"), exact.get(text)]);
  const known = new Map(); // a slider says the same few sentences again and again

  function list(text) {
    const parts = text.split(JOINED);
    const words = parts.filter((_, n) => n % 2 === 0);
    if (words.length < 2 || !words.every((word) => exact.has(word) || WORD.test(word))) return "";
    const isOfNames = parts.every((part, n) => n % 2 === 0 || part === ", ");
    if (isOfNames && !words.some((word) => exact.has(word) || FOREIGN.test(word))) return "";
    return parts.map((part) => exact.get(part) ?? part).join("");
  }

  function say(text) {
    if (exact.has(text)) return exact.get(text);
    const listed = list(text);
    if (listed || !/[A-Za-z]/.test(text)) return listed || text;
    for (const [pattern, said] of patterns) {
      const found = pattern.exec(text);
      if (!found) continue;
      const parts = found.slice(1).map(translate);
      let gap = 0;
      return said.replace(GAP, (_, number) => parts[number === "" ? gap++ : Number(number)]);
    }
    return text;
  }

  function translate(text) {
    if (known.size > 5000) known.clear();
    if (!known.has(text)) known.set(text, say(text));
    return known.get(text);
  }
  return translate;
}

const NAMES = ["aria-label", "aria-valuetext", "aria-roledescription", "title", "placeholder", "alt"];

/** Translate all text in an element, now and whenever it changes; `[lang]` and code inside it stay. */
export function translateAll(root, translate) {
  const kept = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest("[lang], pre:not(.d2l-reply pre), code, textarea");
  const outer = kept(root);

  function text(node) {
    const whole = node.data.trim();
    const said = whole && translate(whole);
    if (said && said !== whole) node.data = node.data.replace(whole, () => said);
  }

  function attributes(element) {
    for (const name of NAMES) {
      const value = element.getAttribute(name);
      const said = value && translate(value);
      if (said && said !== value) element.setAttribute(name, said);
    }
  }

  function all(node) {
    if (kept(node) !== outer) return;
    if (node.nodeType === Node.TEXT_NODE) return text(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    attributes(node);
    for (const child of node.childNodes) all(child);
  }

  all(root);
  const observer = new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      if (type === "childList") addedNodes.forEach(all);
      else if (kept(target) !== outer) continue;
      else if (type === "characterData") text(target);
      else attributes(target);
    }
  });
  observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: NAMES });
  return () => observer.disconnect();
}
