/**
 * Which hint fits a wrong result, as in d2lconv.exercises.engine.hints: both lists have the order of the hints there,
 * whose texts Python puts before this script, as `HINTS`.
 */
import { isWhole, same, sameShape } from "./numbers.js";

const finite = ({ data }) => data.every(Number.isFinite);
const chunks = (data, size) => Array.from({ length: data.length / size }, (_, n) => data.slice(n * size, (n + 1) * size));
const swapLast = (list) => [...list.slice(0, -2), list.at(-1), list.at(-2)];
const scaled = ({ shape, data }, by) => ({ shape, data: data.map(by) });
const sorted = ({ data }) => ({ shape: [data.length], data: [...data].sort((a, b) => a - b) });
const squeezed = (shape) => String(shape.filter((size) => size !== 1));
const dot = (a, b) => a.data.reduce((sum, value, n) => sum + value * b.data[n], 0);
const largest = ({ data }) => Math.max(0, ...data.map(Math.abs));

/** Exchange the last two axes. */
function transpose({ shape, data }) {
  const [height, width] = shape.slice(-2);
  const turn = (cells) => cells.map((_, n) => cells[(n % height) * width + Math.floor(n / height)]);
  return { shape: swapLast(shape), data: chunks(data, height * width).flatMap(turn) };
}

/** Turn a tensor round along all axes, the last, the one before it, and both. */
function turned({ shape, data }) {
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1)];
  const round = (size) => chunks(data, size).flatMap((part) => part.reverse());
  const rows = chunks(data, height * width).flatMap((part) => chunks(part, width).reverse().flat());
  return [round(data.length), round(width), rows, round(height * width)];
}

const mirrored = (given, expected) =>
  given.data.length > 2 && sameShape(given, expected) && turned(given).some((data) => same({ ...given, data }, expected));

/** Round as PyTorch does: halves to the even neighbour. */
const round = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

const rounded = (given, expected) =>
  !isWhole(expected) && [round, Math.floor, Math.ceil].some((cut) => same(given, scaled(expected, cut)));

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
  (g, e) => String(g.shape) === "2" && sameShape(g, e) && same({ ...g, data: g.data.toReversed() }, e),
  (g, e) => sameShape(g, e) && same(sorted(g), sorted(e)),
  rounded,
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
 * Find the first hint that fits every wrong result; empty if none does.
 * @param {Tensor[][]} pairs what was given, and what was expected
 * @param {boolean} [isList] whether results are lists, which are neither mirrored nor rounded
 */
export function generalHint(pairs, isList) {
  const found = FITS.findIndex((fits) => pairs.every(([given, expected]) => fits(given, expected)));
  if (found >= 0) return isList && [mirrored, rounded].includes(FITS[found]) ? "" : HINTS[found];
  const most = pairs.flat().every(isWhole) ? 1e-9 : 1e-4;
  const ratio = RATIOS.findIndex((ratioOf) => {
    const ratios = pairs.map(([given, expected]) => ratioOf(given, expected));
    return ratios[0] !== null && ratios.every((one) => one !== null && Math.abs(one - ratios[0]) < most);
  });
  return pairs.length > 2 && ratio >= 0 ? HINTS[FITS.length + ratio] : "";
}
