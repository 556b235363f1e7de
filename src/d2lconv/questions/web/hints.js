/**
 * Which hint fits a wrong result, as in d2lconv.exercises.engine.hints: both lists have the order of the hints there,
 * whose names and texts Python puts before this script, as `HINTS`.
 */
import { isWhole, same, sameShape } from "./numbers.js";

const finite = ({ data }) => data.every(Number.isFinite);
const count = (shape) => shape.reduce((a, b) => a * b, 1);

/** Rearrange a tensor: `from` gives the old index of each new one. */
function rearranged(given, shape, from) {
  const data = Array.from({ length: count(shape) }, (_, n) => {
    let left = n;
    const index = shape.map((_, axis) => {
      const size = count(shape.slice(axis + 1));
      const at = Math.floor(left / size);
      left %= size;
      return at;
    });
    return given.data[from(index).reduce((sum, at, axis) => sum * given.shape[axis] + at, 0)];
  });
  return { shape, data };
}

const swapLast = (list) => [...list.slice(0, -2), list.at(-1), list.at(-2)];
const transpose = (given) => rearranged(given, swapLast(given.shape), swapLast);
const flip = (given, axes) =>
  rearranged(given, given.shape, (index) =>
    index.map((at, axis) => (axes.includes(axis) ? given.shape[axis] - 1 - at : at)),
  );
const scaled = ({ shape, data }, by) => ({ shape, data: data.map(by) });
const sorted = ({ data }) => ({ shape: [data.length], data: [...data].sort((a, b) => a - b) });
const squeezed = (shape) => String(shape.filter((size) => size !== 1));
const dot = (a, b) => a.data.reduce((sum, value, n) => sum + value * b.data[n], 0);
const largest = ({ data }) => Math.max(0, ...data.map(Math.abs));

function mirrored(given, expected) {
  if (given.data.length <= 2 || !sameShape(given, expected)) return false;
  const last = given.shape.length - 1;
  const sets = [given.shape.map((_, axis) => axis), [last], [last - 1], [last - 1, last]];
  return sets.some((axes) => axes.every((axis) => axis >= 0) && same(flip(given, axes), expected));
}

/** Round as PyTorch does: halves to the even neighbour. */
const round = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

const FITS = [
  (g, e) => !finite(g) && finite(e),
  (g, e) => g.shape.length > 1 && same(transpose(g), e),
  (g, e) => e.shape.length > 1 && String(g.shape) === String(swapLast(e.shape)) && !sameShape(g, e),
  (g, e) => g.shape.length !== e.shape.length && squeezed(g.shape) === squeezed(e.shape),
  (g, e) => g.shape.length === e.shape.length && !sameShape(g, e) &&
    g.shape.every((size, axis) => Math.abs(size - e.shape[axis]) <= 1),
  (g, e) => !sameShape(g, e),
  (g, e) => g.shape.length > 0 && sameShape(g, e) && g.data.length > 0 && !g.data.some(Boolean),
  (g, e) => same(scaled(g, (value) => -value), e),
  mirrored,
  (g, e) => String(g.shape) === "2" && sameShape(g, e) && same(flip(g, [0]), e),
  (g, e) => sameShape(g, e) && same(sorted(g), sorted(e)),
  (g, e) => !isWhole(e) && [round, Math.floor, Math.ceil].some((cut) => same(g, scaled(e, cut))),
  (g, e) => g.data.length === 1 && isWhole(e) && largest(scaled(e, (value) => value - g.data[0])) === 1,
  (g, e) => sameShape(g, e) && e.data.length > 0 && !isWhole(e) &&
    Math.max(...e.data.map((value, n) => Math.abs(value - g.data[n]))) < 0.01 * largest(e),
];

function factor(given, expected) {
  if (!sameShape(given, expected) || !expected.data.some(Boolean)) return null;
  const found = dot(given, expected) / dot(expected, expected);
  return found && same(given, scaled(expected, (value) => found * value)) ? found : null;
}

function added(given, expected) {
  if (!sameShape(given, expected) || !expected.data.length) return null;
  const found = given.data[0] - expected.data[0];
  return same(scaled(given, (value) => value - found), expected) ? found : null;
}

const RATIOS = [factor, added];

/**
 * Find the first hint that fits every wrong result.
 * @param {Tensor[][]} pairs what was given, and what was expected
 * @returns {string[]} its name and text; both empty if none does
 */
export function generalHint(pairs) {
  const found = FITS.findIndex((fits) => pairs.every(([given, expected]) => fits(given, expected)));
  if (found >= 0) return HINTS[found];
  const most = pairs.flat().every(isWhole) ? 1e-9 : 1e-4;
  const ratio = RATIOS.findIndex((ratioOf) => {
    const ratios = pairs.map(([given, expected]) => ratioOf(given, expected));
    return ratios[0] !== null && ratios.every((one) => one !== null && Math.abs(one - ratios[0]) < most);
  });
  return pairs.length > 2 && ratio >= 0 ? HINTS[FITS.length + ratio] : ["", ""];
}
