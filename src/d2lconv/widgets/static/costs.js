/**
 * What layers cost: parameters and multiply-adds (MACs), from their settings alone. Pure functions.
 *
 * As in d2lconv.summary, a MAC is one multiply-add; biases count as parameters and not as MACs, and pooling
 * counts 0.
 *
 * @typedef {object} Step a layer and its cost
 * @property {string} name
 * @property {number[]} output its shape: channels, height and width, or one number
 * @property {number[]} factors their product is the number of weights; none without weights
 * @property {string} symbols the factors as letters
 * @property {string} biases the number of biases as a letter; empty without biases
 * @property {number} params
 * @property {number} macs
 */

const product = (values) => values.reduce((a, b) => a * b, 1);

/** Count: each weight is used once at each place of the output. */
function count(name, output, factors, symbols, bias) {
  const weights = factors.length ? product(factors) : 0;
  const params = weights + (bias ? output[0] : 0);
  const biases = bias ? symbols.split("·").at(-1) : "";
  return { name, output, factors, symbols, biases, params, macs: weights * product(output.slice(1)) };
}

/** Return the size that a convolution or pooling gives. */
function outputSize(name, size, kernel, stride, padding) {
  const steps = Math.floor((size + 2 * padding - kernel) / stride);
  if (steps >= 0) return steps + 1;
  throw new RangeError(`layer ${name} does not fit on ${size}×${size} cells`);
}

// ---- one layer in three ways ----

/**
 * Cost of a layer with stride 1 and a padding that keeps the size: as one full convolution, as a bottleneck
 * (a 1×1 convolution to fewer channels, the k×k one, a 1×1 convolution back), and depthwise separable (a k×k
 * kernel for each channel, then a 1×1 convolution, which alone has a bias).
 * @param {{inChannels: number, outChannels: number, inside: number, kernel: number, size: number,
 *   bias: boolean}} setting inside: channels in the bottleneck
 * @returns {{name: string, output: number[], params: number, macs: number, steps: Step[]}[]}
 */
export function threeWays({ inChannels: from, outChannels: to, inside, kernel: k, size, bias }) {
  const shape = (channels) => [channels, size, size];
  const square = `${k}×${k}`;
  const ways = {
    [`full ${square}`]: [count(square, shape(to), [k, k, from, to], "k·k·cᵢ·cₒ", bias)],
    bottleneck: [
      count("1×1 reduce", shape(inside), [from, inside], "cᵢ·m", bias),
      count(square, shape(inside), [k, k, inside, inside], "k·k·m·m", bias),
      count("1×1 expand", shape(to), [inside, to], "m·cₒ", bias),
    ],
    "depthwise separable": [
      count(`${square} depthwise`, shape(from), [k, k, from], "k·k·cᵢ", false),
      count("1×1 pointwise", shape(to), [from, to], "cᵢ·cₒ", bias),
    ],
  };
  return Object.entries(ways).map(([name, steps]) => ({ name, ...total(steps), output: shape(to), steps }));
}

// ---- a network, layer by layer ----

/** What the layers of a network give and cost. Each gets the shape of its input and its settings. */
const LAYERS = {
  conv(name, [channels, size], out, kernel, stride, padding, bias) {
    const side = outputSize(name, size, kernel, stride, padding);
    return count(name, [out, side, side], [kernel, kernel, channels, out], "k·k·cᵢ·cₒ", bias);
  },
  pool(name, [channels, size], kernel, stride) {
    const side = outputSize(name, size, kernel, stride, 0);
    return count(name, [channels, side, side], [], "", false);
  },
  linear(name, input, out, wanted, bias) {
    const given = product(input);
    if (wanted !== null && wanted !== given) {
      throw new RangeError(`layer ${name} takes ${wanted} numbers, but ${input.join("·")} = ${given} come in`);
    }
    return count(name, [out], [given, out], "nᵢ·nₒ", bias);
  },
};

/**
 * Cost of the layers of a network for square images.
 * @param {{name: string, channels: number, size: number, fixed: boolean, layers: Array[]}} network layers: kind
 *   and settings of each, as above; fixed: whether it takes images of its size alone
 * @param {number} size of the image
 * @returns {Step[]} throws a RangeError that says why there are none
 */
export function walk({ name, channels, size: own, fixed, layers }, size) {
  let shape = [channels, size, size];
  const rows = layers.map(([kind, ...settings], i) => {
    const kernel = kind === "conv" ? settings[1] : settings[0];
    const title = kind === "linear" ? kind : `${kind} ${kernel}×${kernel}`;
    const row = LAYERS[kind](`${i + 1} ${title}`, shape, ...settings);
    shape = row.output;
    return row;
  });
  // Layers may fit all the same, since pooling drops what is left over.
  if (fixed && size !== own) throw new RangeError(`${name} takes images of ${own}×${own} alone`);
  return rows;
}

/** Add up. @param {Step[]} steps */
export function total(steps) {
  const sum = (key) => steps.reduce((all, step) => all + step[key], 0);
  return { params: sum("params"), macs: sum("macs") };
}

// ---- in words ----

const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format;

/** Write a cost as a multiple or a part of another: 1.12×, or 1/8.42. */
export function ratio(part, whole) {
  if (part === whole) return "1";
  const times = three(Math.max(part, whole) / Math.min(part, whole));
  if (times === "1") return "≈ 1";
  return part > whole ? `${times}×` : `1/${times}`;
}

/** Write a part of a whole in percent; nothing for nothing. */
export function percent(part, whole) {
  const share = (100 * part) / whole;
  if (!part) return "";
  return share < 0.1 ? "< 0.1 %" : `${share.toFixed(1)} %`;
}
