/**
 * Say sentences in the language of a page, as `d2lconv.language` does: a catalogue has each sentence in English, with
 * gaps `{}` for what changes, and the same in that language, whose gaps may be numbered. Text in a gap is translated in
 * turn, and so are sentences and clauses of which the catalogue says what stands between them, and each part of a
 * list; what is not in the catalogue stays as it is.
 */

const GAP = /\{(\d*)\}/g;
const JOINED = /(, | and | or )/;
const NAME = /^(?:[\p{L}\p{N}_.]+|`[^`]+`)$/u;
const FOREIGN = /[^\P{L}A-Za-z]/u; // a letter that English has not
const WORD = /[A-Za-z]{2}/; // without one, a text is the same in all languages
const LETTERS = /[A-Za-z]/g;
const VALUE = /^[\d.−-]+, [A-Za-z]/; // what a slider says: its value, then what there is to see
const ENDS = [[". ", "."], ["; ", ""]]; // between sentences and between clauses, and what stays with the first
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Return the function that translates by a catalogue. */
export function translator(catalogue) {
  const exact = new Map(Object.entries(catalogue));
  const patterns = [...exact.keys()]
    .filter((text) => text.includes("{}"))
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .map((text) => {
      const parts = text.split("{}");
      const longest = parts.reduce((one, other) => (other.length > one.length ? other : one));
      return { first: parts[0], longest, pattern: new RegExp(`^${parts.map(escaped).join("([^]+?)")}$`, "u"), said: exact.get(text) };
    });
  const known = new Map(); // a slider says the same few sentences again and again

  function list(text) {
    const parts = text.split(JOINED);
    const words = parts.filter((_, n) => n % 2 === 0);
    if (words.length < 2 || !words.every((word) => exact.has(word) || NAME.test(word))) return "";
    const isOfNames = parts.every((part, n) => n % 2 === 0 || part === ", ");
    if (isOfNames && !words.some((word) => exact.has(word) || FOREIGN.test(word))) return "";
    return parts.map((part) => exact.get(part) ?? part).join("");
  }

  /** Translate two texts with a mark between them, which the catalogue has too; null without it. */
  function both(text, mark, kept) {
    const at = text.indexOf(mark);
    if (at < 0 || !exact.has(mark)) return null;
    const [first, rest] = [text.slice(0, at) + kept, text.slice(at + mark.length)].map(find);
    return { said: first.said + exact.get(mark) + rest.said, left: first.left + rest.left };
  }

  function filled(said, parts) {
    let gap = 0;
    const whole = said.replace(GAP, (_, number) => parts[number === "" ? gap++ : Number(number)].said);
    return { said: whole, left: parts.reduce((sum, { left }) => sum + left, 0) };
  }

  /** Yield the ways to say a text, the most fitting first. */
  function* ways(text) {
    if (VALUE.test(text)) yield both(text, ", ", "");
    for (const [mark, kept] of ENDS) yield both(text, mark, kept);
    for (const { first, longest, pattern, said } of patterns) {
      const found = text.startsWith(first) && text.includes(longest) && pattern.exec(text);
      if (found) yield filled(said, found.slice(1).map(find));
    }
    yield both(text, ", ", "");
  }

  function search(text) {
    const listed = list(text);
    if (listed || !WORD.test(text)) return { said: listed || text, left: 0 };
    let best = { said: text, left: text.match(LETTERS).length };
    for (const way of ways(text)) {
      if (way && way.left < best.left) best = way;
      if (best.left === 0) break;
    }
    return best;
  }

  /** Return the translation, and how many letters of it are still English. */
  function find(text) {
    if (exact.has(text)) return { said: exact.get(text), left: 0 };
    if (!WORD.test(text) && !FOREIGN.test(text)) return { said: text, left: 0 };
    if (known.size > 5000) known.clear();
    if (!known.has(text)) known.set(text, search(text));
    return known.get(text);
  }
  return (text) => find(text).said;
}

const NAMES = ["aria-label", "aria-valuetext", "aria-roledescription", "title", "placeholder", "alt"];
const KEPT = "[lang], pre, code, textarea";

/** Translate all text in an element, now and whenever it changes; `[lang]` and code inside it stay. */
export function translateAll(root, translate) {
  const keeper = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement)?.closest(KEPT);
  const outer = keeper(root);

  function text(node) {
    const whole = node.data.trim();
    const said = whole && translate(whole);
    if (said && said !== whole) node.data = node.data.replace(whole, () => said);
  }

  function attribute(element, name) {
    const value = element.getAttribute(name);
    const said = value && translate(value);
    if (said && said !== value) element.setAttribute(name, said);
  }

  function all(node) {
    if (node.nodeType === Node.TEXT_NODE) return text(node);
    if (node.nodeType !== Node.ELEMENT_NODE || (node !== root && node.matches(KEPT))) return;
    for (const name of NAMES) attribute(node, name);
    for (const child of node.childNodes) all(child);
  }

  all(root);
  const observer = new MutationObserver((changes) => {
    for (const { type, target, addedNodes, attributeName } of changes) {
      if (keeper(target) !== outer) continue;
      if (type === "childList") addedNodes.forEach(all);
      else if (type === "characterData") text(target);
      else attribute(target, attributeName);
    }
    observer.takeRecords(); // of the translation itself
  });
  observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: NAMES });
  return () => observer.disconnect();
}
