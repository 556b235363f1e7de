/**
 * Families of problems without end. Each makes a problem from a source of random numbers and a level from 1 to 3;
 * tests hold the right results equal to PyTorch's.
 *
 * @typedef {object} Problem
 * @property {string} prompt
 * @property {Object<string, number[][]>} [shown] matrices, by name
 * @property {string[]} [parts] what each number of the result is
 * @property {number|number[]} right
 * @property {Array<[number|number[], string]>} wrong typical wrong results, each with what leads to it
 * @property {string[]} steps the way to the result
 * @property {object} given what a test needs to work it out anew
 */

/** Make a source of random numbers that a seed determines. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let n = 0; n < 4; n++) next(); // neighbouring seeds begin alike
  const whole = (low, high) => low + Math.floor(next() * (high - low + 1));
  const rows = (height, width, low, high) => Array.from({ length: height }, () => Array.from({ length: width }, () => whole(low, high)));
  return { whole, rows, pick: (...options) => options[whole(0, options.length - 1)] };
}

const span = (k, d) => d * (k - 1) + 1;
const sizeOf = (n, k, s, p, d) => Math.floor((n + 2 * p - span(k, d)) / s) + 1;
const sum = (list) => list.reduce((a, b) => a + b, 0);
const product = (list) => list.reduce((a, b) => a * b, 1);

/** Write the settings of a layer that differ from PyTorch's. */
const settings = (entries) => entries.filter(([, value, usual]) => value !== usual).map(([name, value]) => `, ${name}=${value}`).join("");

/** Draw a layer along one axis into which its kernel fits. */
function layer(random, level) {
  const k = random.pick(2, 3, 3, 4, 5, 7);
  const [s, d] = [level > 1 ? random.whole(1, 3) : 1, level > 2 ? random.whole(1, 3) : 1];
  const p = random.whole(0, Math.min(3, k - 1));
  return { n: random.whole(span(k, d) + 1, 33), k, s, p, d };
}

function makeSize(random, level) {
  const { n, k, s, p, d } = layer(random, level);
  const right = sizeOf(n, k, s, p, d);
  const room = n + 2 * p - span(k, d);
  const spread = d > 1 ? [`The kernel spans ${d}·(${k} − 1) + 1 = ${span(k, d)} cells.`] : [];
  return {
    given: { n, k, s, p, d },
    prompt: `An axis of ${n} cells goes through nn.Conv1d(1, 1, ${k}${settings([["stride", s, 1], ["padding", p, 0], ["dilation", d, 1]])}). How long is the output?`,
    right,
    wrong: [
      [sizeOf(n, k, s, p / 2, d), "You counted the padding once. There are p zeros at each of the two ends."],
      [sizeOf(n, k, s, 0, d), "The padding is missing."],
      [right - 1, "That is the number of steps. The window has one more position than steps."],
      [Math.ceil(room / s) + 1, "You rounded up. A window that does not fit is dropped."],
      [room / s + 1, "Round down: a window that does not fit is dropped."],
      [sizeOf(n, k, 1, p, d), "The stride is missing: divide the room by it."],
      [sizeOf(n, k, s, p, 1), "The dilation is missing: it spreads the kernel."],
      [Math.floor((n + 2 * p) / s), "The window must fit inside, so its span is taken off first."],
    ],
    steps: [...spread, `Room for the first cell of the window: ${n} + 2·${p} − ${span(k, d)} = ${room}.`,
      `Steps of ${s}: ${room} / ${s}, rounded down, is ${right - 1}.`, `One position more than steps: ${right}.`],
  };
}

function makePadding(random, level) {
  const [k, d] = [random.pick(3, 5, 7, 9), level > 1 ? random.whole(1, 3) : 1];
  const total = d * (k - 1);
  if (level < 3) {
    return {
      given: { k, d, s: 1, n: 40, m: 40 },
      prompt: `Which padding per side does nn.Conv2d(8, 8, ${k}${settings([["dilation", d, 1]])}) need, to keep height and width?`,
      right: total / 2,
      wrong: [
        [total, "That is the total. Half of it goes to each side."],
        [(k - 1) / 2, "The dilation spreads the kernel, so more zeros are needed."],
        [k, "A window that lies on k cells hangs over by at most k − 1."],
        [Math.floor(k / 2) + 1, "One too many: the output would be larger than the input."],
      ],
      steps: [`The kernel spans ${d}·(${k} − 1) + 1 = ${total + 1} cells, so ${total} positions are lost.`, `Half of them per side: ${total / 2}.`],
    };
  }
  const s = 2;
  const n = 2 * random.whole(8, 30) + 1;
  const p = random.whole(0, (k - 1) / 2);
  const m = sizeOf(n, k, s, p, 1);
  return {
    given: { k, d: 1, s, n, m },
    prompt: `An image of ${n}×${n} becomes ${m}×${m} by nn.Conv2d(3, 8, ${k}, stride=2, padding=p). What is p?`,
    right: p,
    wrong: [
      [2 * p, "That is the total. PyTorch's padding is per side."],
      [p + 1, "One more: the output would be larger by one."],
      [p - 1, "One less: the output would be smaller by one."],
      [(k - 1) / 2, "That keeps the size under stride 1. Here the output is smaller."],
    ],
    steps: [`${m} positions, ${m - 1} steps of 2: ${2 * (m - 1)} cells, and the kernel's ${k}: ${2 * (m - 1) + k}.`,
      `${n} + 2p must be that, or one more. So 2p = ${2 * p}, and p = ${p}.`],
  };
}

function makeSame(random, level) {
  const k = random.pick(2, 3, 4, 5, 7);
  const [s, d] = [level > 1 ? random.whole(2, 3) : 1, level > 2 ? random.whole(1, 2) : 1];
  const n = random.whole(span(k, d) + 1, 30);
  const m = Math.ceil(n / s);
  const need = (m - 1) * s + span(k, d);
  const total = Math.max(need - n, 0);
  const half = (zeros) => [Math.floor(zeros / 2), zeros - Math.floor(zeros / 2)];
  const [before, after] = half(total);
  return {
    given: { n, k, s, d },
    prompt: `SAME padding as in TensorFlow: an axis of ${n} cells, kernel size ${k}, stride ${s}${d > 1 ? `, dilation ${d}` : ""}. How many zeros come before, and how many after?`,
    parts: ["before", "after"],
    right: [before, after],
    wrong: [
      [[after, before], "An odd zero goes after."],
      [[total, total], "That is the total on each side."],
      [half(d * (k - 1)), "So it is with stride 1. Here the last window need not begin at the last cell."],
      [[0, total], "The zeros are shared between the two ends."],
      [half(Math.max((Math.floor(n / s) - 1) * s + span(k, d) - n, 0)), "The number of outputs is n / s, rounded up."],
    ],
    steps: [`Outputs: ${n} / ${s}, rounded up, is ${m}.`, `They need (${m} − 1)·${s} + ${span(k, d)} = ${need} cells.`,
      total ? `${need} − ${n} = ${total}: ${total} zeros, ${before} before and ${after} after.` : "There are enough: 0 zeros, 0 before and 0 after."],
  };
}

function makeParameters(random, level) {
  const groups = level > 2 ? random.pick(2, 4) : 1;
  const [a, b] = [random.whole(1, 8) * groups, random.whole(1, 8) * groups];
  const [h, w] = level > 1 ? [random.whole(1, 5), random.whole(1, 5)] : [3, 3];
  const weights = (b * a * h * w) / groups;
  const given = `${a}, ${b}, kernel_size=(${h}, ${w})${settings([["groups", groups, 1]])}`;
  return {
    given: { a, b, h, w, groups },
    prompt: `How many weights and how many biases has nn.Conv2d(${given})?`,
    parts: ["weights", "biases"],
    right: [weights, b],
    wrong: [
      [[weights + b, b], "You counted the biases among the weights."],
      [[b * h * w, b], "A kernel has a slice for each of its input channels."],
      [[a * h * w, 1], "That is one kernel. There is one for each output channel."],
      [[weights, a], "There is a bias for each output channel."],
      [[weights, a * b], "The bias comes after the sum over the input channels: one for each output channel."],
      [[b * a * h * w, b], "With groups, a kernel has slices for its own group only."],
      [[weights, 1], "There is a bias for each output channel, not one in all."],
    ],
    steps: [`A kernel has ${a}${groups > 1 ? ` / ${groups}` : ""} slices of ${h}·${w} numbers: ${(a / groups) * h * w}.`, `${b} kernels: ${weights} weights, and ${b} biases.`],
  };
}

function makeMacs(random, level) {
  const [a, b, k, n] = [random.whole(1, 8), random.whole(1, 8), random.pick(1, 3, 5), random.whole(6, 14)];
  const [s, p] = [level > 1 ? random.whole(1, 2) : 1, level > 2 ? random.whole(0, 2) : 0];
  const m = sizeOf(n, k, s, p, 1);
  const [weights, cells] = [a * b * k * k, m * m];
  const given = `${a}, ${b}, ${k}${settings([["stride", s, 1], ["padding", p, 0]])}`;
  return {
    given: { a, b, k, n, s, p },
    prompt: `How many multiply-adds does nn.Conv2d(${given}) take on one image of ${n}×${n}?`,
    right: weights * cells,
    wrong: [
      [weights, "Each weight is used at every position of its output channel."],
      [weights * n * n, "Count the positions of the output, not of the input."],
      [2 * weights * cells, "You counted multiplications and additions. A multiply-add is one of each."],
      [(weights + b) * cells, "By our convention the bias does not count."],
      [(weights / a) * cells, "Each output sees all input channels."],
      [(weights / b) * cells, "That is one kernel. There is one for each output channel."],
      [weights * m, "The output has rows and columns."],
      [(weights / k) * cells, "A kernel has k rows and k columns."],
    ],
    steps: [`Weights: ${b}·${a}·${k}·${k} = ${weights}.`, `The output has ${m}×${m} cells.`, `${weights}·${cells} = ${weights * cells}.`],
  };
}

function makeField(random, level) {
  const layers = Array.from({ length: level + 1 }, () => [random.pick(2, 3, 3, 5), random.pick(1, 1, 2)]);
  if (layers.every(([, s]) => s === 1)) layers[0][1] = 2;
  const before = (n) => product(layers.slice(0, n).map(([, s]) => s));
  const right = 1 + sum(layers.map(([k], n) => (k - 1) * before(n)));
  return {
    given: { layers },
    prompt: `How many input cells along an axis does one output cell see, after ${layers.length} layers: ${layers.map(([k, s]) => `kernel ${k}${s > 1 ? ` with stride ${s}` : ""}`).join(", then ")}?`,
    right,
    wrong: [
      [1 + sum(layers.map(([k]) => k - 1)), "The strides are missing: they widen the fields of all later layers."],
      [sum(layers.map(([k]) => k)), "Neighbouring windows overlap: a layer adds k − 1 steps, not k."],
      [1 + sum(layers.map(([k], n) => (k - 1) * before(n + 1))), "A layer's stride widens the fields of later layers, not its own."],
      [product(layers.map(([k]) => k)), "Windows overlap, so the sizes do not multiply."],
      [right - 1, "Those are the steps. The field has one cell more."],
      [layers.at(-1)[0], "That is the kernel of the last layer: cells of the layer below, not of the input."],
    ],
    steps: [...layers.map(([k], n) => `Layer ${n + 1}: (${k} − 1) steps of ${before(n)}: ${(k - 1) * before(n)}.`), `1 + ${layers.map(([k], n) => (k - 1) * before(n)).join(" + ")} = ${right}.`],
  };
}

/** Add up the products of a kernel with the window of an image that begins at a cell. */
const at = (X, K, r, c) => sum(K.flatMap((row, u) => row.map((weight, v) => weight * X[r + u]?.[c + v])));
const flipped = (K) => K.map((row) => [...row].reverse()).reverse();

function makeCell(random, level) {
  const k = level > 2 ? 3 : 2;
  const [X, K] = [random.rows(k + 2, k + 2, 0, level > 1 ? 5 : 3), random.rows(k, k, level > 1 ? -2 : 0, 2)];
  const [r, c] = [random.whole(0, 2), random.whole(0, 2)];
  const right = at(X, K, r, c);
  const terms = K.flatMap((row, u) => row.map((weight, v) => `${X[r + u][c + v]}·${weight < 0 ? `(${weight})` : weight}`));
  return {
    given: { X, K, r, c },
    prompt: `The kernel K moves over X. What is Y[${r}, ${c}], in row ${r} and column ${c} of the output, counted from 0?`,
    shown: { X, K },
    right,
    wrong: [
      [at(X, flipped(K), r, c), "You flipped the kernel. A layer lays it on as it is."],
      [at(X, K, c, r), "Rows come first: you took row and column the other way round."],
      [at(X, K, r - 1, c - 1), "You counted from 1. Rows and columns are counted from 0."],
      [sum(X.slice(r, r + k).flatMap((row) => row.slice(c, c + k))), "You added up the window. Multiply by the kernel first."],
      [at(X, K[0].map((_, v) => K.map((row) => row[v])), r, c), "You took the kernel's columns for its rows."],
    ],
    steps: [`The window begins in row ${r}, column ${c} of X.`, `${terms.join(" + ")} = ${right}.`],
  };
}

function makePooling(random, level) {
  const k = random.whole(2, 4);
  const s = level > 1 ? random.whole(1, 4) : k;
  const p = level > 2 ? random.whole(0, Math.floor(k / 2)) : 0;
  const n = random.whole(k + 1, 30);
  const room = n + 2 * p - k;
  const up = Math.ceil(room / s) + 1;
  const right = (up - 1) * s >= n + p ? up - 1 : up;
  return {
    given: { n, k, s, p },
    prompt: `An axis of ${n} cells goes through nn.MaxPool1d(${k}${settings([["stride", s, k], ["padding", p, 0]])}, ceil_mode=True). How long is the output?`,
    right,
    wrong: [
      [Math.floor(room / s) + 1, "So it is without ceil_mode. With it, a last window may hang over the end."],
      [up, "The last window would begin beyond the input and its left padding, so it is dropped."],
      [Math.ceil(room / s), "That is the number of steps. The window has one more position than steps."],
      [room + 1, "That is stride 1. By default, a pooling window moves by its own size."],
      [Math.ceil((n - k) / s) + 1, "The padding is missing."],
    ],
    steps: [`Room: ${n} + 2·${p} − ${k} = ${room}; steps of ${s}, rounded up: ${up - 1}.`,
      right < up ? `The last of ${up} windows would begin at ${(up - 1) * s}, not before ${n} + ${p}: it is dropped.` : `The last of ${up} windows begins inside.`, `${right} windows.`],
  };
}

function makeGradient(random, level) {
  const k = level > 2 ? 3 : 2;
  const [X, G] = [random.rows(k + 1, k + 1, 0, level > 1 ? 5 : 3), random.rows(2, 2, level > 1 ? -2 : 0, 2)];
  const [u, v] = [random.whole(0, k - 1), random.whole(0, k - 1)];
  const right = at(X, G, u, v);
  const terms = G.flatMap((row, r) => row.map((slope, c) => `${slope < 0 ? `(${slope})` : slope}·${X[r + u][c + v]}`));
  return {
    given: { X, G, k, u, v },
    prompt: `A ${k}×${k} kernel K moved over X, and the loss has the gradient G with respect to the output. What is the gradient of K[${u}, ${v}]?`,
    shown: { X, G },
    right,
    wrong: [
      [at(X, flipped(G), u, v), "You flipped G. That is for the gradient of the input."],
      [at(X, G, v, u), "Rows come first: you took u and v the other way round."],
      [sum(G.flat()), "That is the gradient of a bias. Each term is multiplied by what the kernel cell met."],
      [at(X, [[1, 1], [1, 1]], u, v), "Each cell that the kernel cell met is multiplied by the gradient of the output it went into."],
      [sum(G.flat()) * X[u][v], "The kernel cell met another cell of X at each position."],
    ],
    steps: [`K[${u}, ${v}] met X[r + ${u}, c + ${v}] when it helped to compute Y[r, c].`, `${terms.join(" + ")} = ${right}.`],
  };
}

/** Families by name, as addresses hold it, each with its title. */
export const FAMILIES = {
  size: ["Output size", makeSize],
  padding: ["Padding from sizes", makePadding],
  same: ["SAME padding", makeSame],
  parameters: ["Parameters", makeParameters],
  macs: ["Multiply-adds", makeMacs],
  field: ["Receptive field", makeField],
  cell: ["One cell of a convolution", makeCell],
  pooling: ["Pooling with ceil_mode", makePooling],
  gradient: ["Gradient of a kernel cell", makeGradient],
};

/** Make a problem, with those of its typical wrong results that differ from the right one and from each other. */
export function problem(family, level, seed) {
  const made = FAMILIES[family][1](randomFrom(seed), level);
  const seen = new Set([String(made.right)]);
  const isNew = ([gives]) => [gives].flat().every(Number.isFinite) && !seen.has(String(gives)) && seen.add(String(gives));
  const wrong = made.wrong.filter(isNew);
  return { ...made, wrong };
}
