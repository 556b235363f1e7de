/**
 * What all views share: building elements, writing numbers, speaking.
 * Text is only ever set as text, so nothing in a saved state can become markup.
 */

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "path", "line", "circle", "text"]);

/**
 * Make an element.
 * @param {string} tag name of an HTML element, or of one of the SVG shapes above
 * @param {Object<string, *>} [attributes] functions become listeners; null and false are left out
 * @param {...(Node|string)} children
 * @returns {Element}
 */
export function make(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const worn = new WeakMap(); // attributes by element, as dress gave them

/**
 * Give an element attributes, and change only those that differ from the last time: whatever stays as it is needs
 * no new style, layout or paint.
 * @param {Element} element
 * @param {Object<string, *>} attributes null, false and undefined are left out; --names are style properties
 */
export function dress(element, attributes) {
  const before = worn.get(element) ?? {};
  worn.set(element, attributes);
  for (const name of Object.keys({ ...before, ...attributes })) {
    const value = attributes[name] ?? false;
    if (value === (before[name] ?? false)) continue;
    if (name.startsWith("--")) element.style.setProperty(name, value === false ? "" : value);
    else if (value === false) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
}

const told = new WeakMap(); // texts by element or node, as they were given: a page may show them in another language

/** Write a text that is all an element holds, if it differs from the last one. */
export function write(element, text) {
  if (told.get(element) === String(text)) return;
  told.set(element, String(text));
  element.textContent = text;
}

/**
 * Make an element hold some parts, and change only what differs from what it holds.
 * @typedef {string|Array} Part a text; or the tag, attributes and parts of an element
 * @param {Element} element
 * @param {...Part} parts
 */
export function fill(element, ...parts) {
  let node = element.firstChild;
  for (const part of parts) {
    const [tag, attributes, ...inner] = typeof part === "string" ? ["#text"] : part;
    if (node?.nodeName.toLowerCase() !== tag) {
      const fresh = tag === "#text" ? document.createTextNode("") : make(tag);
      if (node) node.replaceWith(fresh);
      else element.append(fresh);
      node = fresh;
    }
    if (tag !== "#text") {
      dress(node, attributes);
      fill(node, ...inner);
    } else if (told.get(node) !== part) {
      told.set(node, part);
      node.data = part;
    }
    node = node.nextSibling;
  }
  while (node) {
    const next = node.nextSibling;
    node.remove();
    node = next;
  }
}

/**
 * Write a number as the course's figures do: at most two digits after the point.
 * @param {number} value
 * @returns {string}
 */
export function short(value) {
  if (value === -Infinity) return "−∞"; // what pooling takes for padding
  const rounded = Math.round(value * 100) / 100 || 0; // no minus zero
  return String(rounded).replace("-", "−");
}

const UNITS = ["", "k", "M", "G", "T"];

/** Write a number in at most five characters, for a cell: −12.346 is −12.3, and 123456 is 123k. */
export function brief(value) {
  const text = short(value);
  if (text.length <= 5 || !Number.isFinite(value)) return text;
  const isLarge = Math.abs(value) >= 9999.5;
  const written = (isLarge ? [3, 2] : [4, 3]).map((digits) => {
    const rounded = Number(value.toPrecision(digits));
    const power = isLarge ? Math.min(Math.floor(Math.log10(Math.abs(rounded)) / 3 + 1e-9), UNITS.length - 1) : 0;
    return `${short(rounded / 1000 ** power)}${UNITS[power]}`;
  });
  return written.find(({ length }) => length <= 5) ?? written[1];
}

/** Return the sign between what is written out and its result: ≈ where a number had to be rounded. */
export function equals(...numbers) {
  const isRounded = (value) => Math.abs(value - Math.round(value * 100) / 100) > 1e-5 * Math.max(1, Math.abs(value));
  return numbers.some(isRounded) ? "≈" : "=";
}

/** Write a number that stands in a product: in brackets if it is negative. */
export const factor = (value) => (short(value).startsWith("−") ? `(${short(value)})` : short(value));

/** The largest number that can be typed. */
export const HIGHEST = 999_999;

/**
 * Read what somebody typed, with a comma or a point, and either minus sign.
 * @param {string} text
 * @returns {?number} null if it is no number
 */
export function parse(text) {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) && Math.abs(plain) <= HIGHEST ? Number(plain) : null;
}

/** Name a cell, counted from 0 as in the code. */
export const cellName = (row, column) => `row ${row}, column ${column}`;

/** Write a number with what it counts: 1 cell, 2 cells. */
export const counted = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** Write rows and columns of a matrix: 3×4. */
export const sizeOf = (rows) => `${rows.length}×${rows[0].length}`;

/** Return the largest distance from zero of some rows of numbers; 1 if all are zero. */
export const largest = (rows) => Math.max(...rows.flat().map(Math.abs)) || 1;

/** Make a sign between two grids, which says nothing to a screen reader. */
export const sign = (text) => make("span", { class: "d2l-sign", "aria-hidden": "true" }, text);

/** Join CSS classes; those that are false, null or empty are left out. */
export const marked = (...classes) => classes.filter(Boolean).join(" ");

/** A number in a formula, in the colour of its role. @returns {Part} */
export const number = (text, role) => ["span", { class: `d2l-number d2l-${role}` }, String(text)];

/** One product in a sum of products, and a name for it; it is pale where the kernel is zero. @returns {Part} */
export const productTerm = (x, k, isFirst, name = null, isLit = false) => [
  ...["span", { class: marked("d2l-term", !k && "d2l-zero") }, isFirst ? "" : " + "],
  [
    ...["span", { class: marked("d2l-product", isLit && "d2l-lit"), "data-term": name }],
    ...[number(factor(x), "input"), "·", number(factor(k), "kernel")],
  ],
];

/** What stands below a scale of colours. @returns {Part[]} */
export function scaleEnds(limit) {
  const end = (text, name) => ["span", { class: `d2l-end d2l-${name}` }, text];
  return [end(short(-limit), "below"), end("0", "zero"), end(short(limit), "above")];
}

/** Tell whether two values of traits are the same. */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Return the whole figure of a view: its controls too, where they stand in the same page. */
export const figureOf = (root) => root.closest(".d2l-live, .widget-vbox") ?? root;

/** Tell whether the focus is in a figure, but for the book's sliders: they say the summary as their value. */
function isListening(root) {
  const focus = document.activeElement;
  return figureOf(root).contains(focus) && focus.type !== "range";
}

/**
 * Make the live region of a view. The summary goes to the model, where the book's page takes it as the spoken
 * value of the sliders; the region itself speaks while the focus is elsewhere in the figure.
 * @param {Model} model
 * @param {Element} root the view
 * @returns {{element: Element, say: function(string): void}}
 */
export function makeVoice(model, root) {
  const element = make("p", { class: "d2l-said", role: "status", "aria-live": "polite" });
  let timer = 0;
  return {
    element,
    say(text) {
      change(model, { summary: text });
      clearTimeout(timer);
      if (isListening(root)) timer = setTimeout(() => (element.textContent = text), 150);
    },
  };
}

// ---- the state, and what follows from it ----

/**
 * @typedef {{get: function(string): *, set: function(string, *): void, on: function(string, Function): void,
 *   off: function(string, Function): void, save_changes: function(): void}} Model what anywidget gives to a view
 */

/** Set some traits. @param {Model} model @param {Object<string, *>} values */
export function change(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

/** Change one number of a trait that is a list of lists. @param {number[]} path its indices */
export function changeNumber(model, name, path, number) {
  const values = structuredClone(model.get(name));
  path.slice(0, -1).reduce((list, index) => list[index], values)[path.at(-1)] = number;
  change(model, { [name]: values });
}

/** Call a function whenever one of some traits changes. @returns {function(): void} ends it */
export function listen(model, names, call) {
  for (const name of names) model.on(`change:${name}`, call);
  return () => names.forEach((name) => model.off(`change:${name}`, call));
}

/**
 * Hold what the pointer or the focus is at, and call a function when that changes.
 * @param {function(): void} moved
 * @returns {{at: ?object, move: function(?object): void}} at: null where there is nothing
 */
export function makePointer(moved) {
  const pointer = {
    at: null,
    move(where) {
      if (same(where, pointer.at)) return;
      pointer.at = where;
      moved();
    },
  };
  return pointer;
}

/**
 * Tell how wide a view is, when it comes into the page and when that changes. Drawing can change its height: to
 * draw again for that would do everything twice.
 * @param {Element} root
 * @param {function(number): void} tell
 * @returns {function(): void} ends it
 */
export function watchWidth(root, tell) {
  let known = null;
  const sizes = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width === known) return;
    known = width;
    tell(known);
  });
  sizes.observe(root);
  return () => sizes.disconnect();
}
