/**
 * Numbers as people type them, and as replies write and compare them: what d2lconv.exercises.engine.numbers does.
 *
 * @typedef {{shape: number[], data: number[]}} Tensor
 */
import { fill } from "./fill.js";

/** Make a tensor of a number or of nested lists. @returns {Tensor} */
export function tensor(nested) {
  const shape = [];
  for (let one = nested; Array.isArray(one); one = one[0]) shape.push(one.length);
  return { shape, data: [nested].flat(Infinity) };
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const GROUPS = /^[+-]?[1-9]\d{0,2}([,' ]\d{3})+(\.\d+)?$/; // 4,096
const TIMES = /\s*[×x*·⋅✕]\s*/i;

/** Bring digits, signs and spaces of all kinds into one form. */
const plain = (text) =>
  text
    .normalize("NFKC")
    .replace(/[−–—]/g, "-")
    .replace(/⁄/g, "/")
    .replace(/(\d)_(?=\d)/g, "$1")
    .trim();

/** Read one number: 4,096 and 0,5 and 1/9 and 12 % and 3·5·5; null if it is none. */
function readOne(text) {
  const inner = text.replace(/^[([{"']+|[)\]}"'.]+$/g, "").replace(/^(.*\d)\s+[a-z]+$/i, "$1").trim();
  if (NUMBER.test(inner)) return Number(inner);
  if (GROUPS.test(inner)) return Number(inner.replace(/[,' ]/g, ""));
  if (/^[+-]?\d*,\d+$/.test(inner)) return Number(inner.replace(",", "."));
  const join = (parts, how) => {
    const read = parts.length > 1 ? parts.map(readOne) : [null];
    return read.includes(null) ? null : read.reduce(how);
  };
  if (inner.endsWith("%")) return join([inner.slice(0, -1), "100"], (a, b) => a / b);
  return join(inner.split("/"), (a, b) => a / b) ?? join(inner.split(TIMES), (a, b) => a * b);
}

/** Read a list of numbers; commas separate them or group digits, whichever gives the number that is asked for. */
function readList(text, count) {
  const inner = text.replace(/[a-z.]*\(|[()[\]{}]|\bby\b/gi, " ").trim();
  const split = (separator) => inner.split(separator).filter(Boolean);
  const lists = [split(/[\s,;×x*·]+/i), split(/,(?!\d{3}(?!\d))|[\s;×x*·]+/i), split(/[\s;×x*·]+/i)];
  const read = lists.map((list) => list.map(readOne)).filter((list) => list.length && !list.includes(null));
  return read.find((list) => list.length === count) ?? read[0] ?? null;
}

/**
 * Read what was typed.
 * @param {string} text
 * @param {number[]} shape of what is asked for
 * @returns {?Tensor} null if it is no number, no list and no rows of numbers
 */
export function readNumbers(text, shape) {
  const typed = plain(text);
  const one = shape.length ? null : readOne(typed);
  if (one !== null) return { shape: [], data: [one] };
  const lines = typed.replace(/[\])]\s*[,;]?\s*[[(]/g, ";").split(/[;\n|]/);
  const rows = lines.filter((line) => /\S/.test(line)).map((line) => readList(line, shape.at(-1)));
  if (!rows.length || rows.includes(null) || rows.some((row) => row.length !== rows[0].length)) return null;
  return tensor(rows.length > 1 || /^\[\s*\[|^\(\s*\(/.test(typed) ? rows : rows[0]);
}

// ---- comparing ----

const equal = (a, b) => a.length === b.length && a.every((value, n) => value === b[n]);
export const isWhole = ({ data }) => data.every(Number.isInteger);

/** Let a tensor with one entry stand for a number. */
const asNumber = (given, expected) =>
  expected.shape.length === 0 && given.data.length === 1 ? { shape: [], data: given.data } : given;

function tolerance(expected) {
  const most = Math.max(0, ...expected.data.map(Math.abs));
  return isWhole(expected) ? Math.min(1e-4 * Math.max(most, 1), 0.01) : 1e-4 * most;
}

export const sameShape = (a, b) => equal(a.shape, b.shape);

/** List the positions at which tensors of the same shape differ. */
export function differing(given, expected) {
  const most = tolerance(expected);
  return expected.data.flatMap((value, n) => (Math.abs(asNumber(given, expected).data[n] - value) <= most ? [] : [n]));
}

/** Tell whether numbers agree: whole ones exactly, others to 1e-4 of the largest one expected. */
export const same = (given, expected) =>
  sameShape(asNumber(given, expected), expected) && differing(given, expected).length === 0;

/** Say where tensors of the same shape differ. */
export function whereTheyDiffer(given, expected) {
  if (!sameShape(given, expected)) return fill(WORDS.shapesDiffer, { expected: tuple(expected.shape), given: tuple(given.shape) });
  const apart = differing(given, expected);
  let left = apart[0];
  const place = expected.shape.map((_, axis) => {
    const size = expected.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const index = Math.floor(left / size);
    left %= size;
    return index;
  });
  const [now, wanted] = [given, expected].map(({ data }) => show({ shape: [], data: [data[apart[0]]] }));
  return fill(WORDS.numbersDiffer, { n: apart.length, total: expected.data.length, place: place.join(", "), expected: wanted, given: now });
}

// ---- writing, as NumPy does ----

export const tuple = (list) => `(${list.join(", ")}${list.length === 1 ? "," : ""})`;

/** Write numbers with as many digits as the longest needs, four at most after the point. */
function words({ data }) {
  if (data.every((value) => Number.isInteger(value) && Math.abs(value) < 1e15)) {
    const texts = data.map((value) => String(value || 0));
    const width = Math.max(...texts.map((text) => text.length));
    return texts.map((text) => text.padStart(width));
  }
  const parts = data.map((value) => (Object.is(value, -0) ? "-0.0" : value.toFixed(4)).replace(/0+$/, "").split("."));
  const [before, after] = [0, 1].map((side) => Math.max(...parts.map((part) => part[side].length)));
  return parts.map(([whole, rest]) => `${whole.padStart(before)}.${rest.padEnd(after)}`);
}

const WIDTH = 75;

/** Write a tensor as rows of numbers. */
export function show(numbers) {
  const texts = words(numbers);
  const { shape } = numbers;
  if (!shape.length) return texts[0].trim();
  let next = 0;
  const write = (axis) => {
    const indent = " ".repeat(axis + 1);
    if (axis < shape.length - 1) {
      const parts = Array.from({ length: shape[axis] }, () => write(axis + 1));
      return `[${parts.join(`,${"\n".repeat(shape.length - axis - 1)}${indent}`)}]`;
    }
    const lines = [indent];
    for (let n = 0; n < shape[axis]; n++, next++) {
      const isLast = n === shape[axis] - 1;
      const room = WIDTH - (isLast ? Math.max(1, axis + 1) : 1);
      const line = lines.at(-1);
      if (line.length + texts[next].length > room && line.length > indent.length) {
        lines[lines.length - 1] = line.trimEnd();
        lines.push(indent);
      }
      lines[lines.length - 1] += texts[next] + (isLast ? "" : ", ");
    }
    return `[${lines.join("\n").slice(indent.length)}]`;
  };
  return write(0);
}
