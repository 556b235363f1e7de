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

import { convAxes, product } from "../shared/geometry.js";

/** Count: each weight is used once at each position of the output. */
function countStep(name, output, factors, symbols, bias) {
  const weights = factors.length ? product(factors) : 0;
  const params = weights + (bias ? output[0] : 0);
  const biases = bias ? symbols.split("·").at(-1) : "";
  return { name, output, factors, symbols, biases, params, macs: weights * product(output.slice(1)) };
}

/** Return the size that a convolution or pooling gives. */
function outputSide(name, size, kernel, stride, padding) {
  try {
    return convAxes([size, size], kernel, { stride, padding })[0].out;
  } catch {
    throw new RangeError(`layer ${name} does not fit on ${size}×${size} cells`);
  }
}

// ---- one layer in three ways ----

/**
 * Cost of a layer with stride 1 and a padding that keeps the size: as one full convolution, as a bottleneck
 * (a 1×1 convolution to fewer channels, the k×k one, a 1×1 convolution back), and depthwise separable (a k×k
 * kernel for each channel, then a 1×1 convolution, which alone has a bias).
 * @param {{inChannels: number, outChannels: number, bottleneck: number, kernel: number, size: number,
 *   bias: boolean}} setting bottleneck: its channels
 * @returns {{name: string, output: number[], params: number, macs: number, steps: Step[]}[]}
 */
export function threeWays({ inChannels: cIn, outChannels: cOut, bottleneck: m, kernel: k, size, bias }) {
  const shape = (channels) => [channels, size, size];
  const square = `${k}×${k}`;
  const ways = {
    [`full ${square}`]: [countStep(square, shape(cOut), [k, k, cIn, cOut], "k·k·cᵢ·cₒ", bias)],
    bottleneck: [
      countStep("1×1 reduce", shape(m), [cIn, m], "cᵢ·m", bias),
      countStep(square, shape(m), [k, k, m, m], "k·k·m·m", bias),
      countStep("1×1 expand", shape(cOut), [m, cOut], "m·cₒ", bias),
    ],
    "depthwise separable": [
      countStep(`${square} depthwise`, shape(cIn), [k, k, cIn], "k·k·cᵢ", false),
      countStep("1×1 pointwise", shape(cOut), [cIn, cOut], "cᵢ·cₒ", bias),
    ],
  };
  return Object.entries(ways).map(([name, steps]) => ({ name, ...total(steps), output: shape(cOut), steps }));
}

// ---- a network, layer by layer ----

/** What the layers of a network give and cost. Each gets the shape of its input and its settings. */
const LAYERS = {
  conv(name, [channels, size], out, kernel, stride, padding, bias) {
    const side = outputSide(name, size, kernel, stride, padding);
    return countStep(name, [out, side, side], [kernel, kernel, channels, out], "k·k·cᵢ·cₒ", bias);
  },
  pool(name, [channels, size], kernel, stride) {
    const side = outputSide(name, size, kernel, stride, 0);
    return countStep(name, [channels, side, side], [], "", false);
  },
  linear(name, input, out, wanted, bias) {
    const given = product(input);
    if (wanted !== null && wanted !== given) {
      throw new RangeError(`layer ${name} takes ${wanted} numbers, but ${input.join("·")} = ${given} come in`);
    }
    return countStep(name, [out], [given, out], "nᵢ·nₒ", bias);
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
export function ratio(cost, whole) {
  if (cost === whole) return "1";
  const times = three(Math.max(cost, whole) / Math.min(cost, whole));
  if (times === "1") return "≈ 1";
  return cost > whole ? `${times}×` : `1/${times}`;
}

/** Write a share of a whole in percent; nothing for nothing. */
export function percent(share, whole) {
  const hundredths = (100 * share) / whole;
  if (!share) return "";
  return hundredths < 0.1 ? "< 0.1%" : `${hundredths.toFixed(1)}%`;
}
