/**
 * A sequential network on one image: every layer's maps, and how one number of them comes about. Pure functions.
 *
 * @typedef {{data: Float32Array, shape: number[]}} Tensor
 * @typedef {{kind: string, name: string, shape: number[], weight?: Tensor, bias?: ?Tensor, kernelSize?: number[],
 *   stride?: number[], padding?: number[], dilation?: number[], groups?: number, ceilMode?: boolean,
 *   countIncludePad?: boolean}} Layer as d2lconv.widgets.feature_maps.network writes it, with its weights unpacked
 * @typedef {{size: number[], stride: number[], start: number[]}} Field as receptiveField gives it
 */

import { avgPool2d, conv2d, fail, maxPool2d, product, range, receptiveField } from "../shared/geometry.js";
import { anyOf, finite, listOf, oneOf, optional, record, text, whole, words } from "../shared/state.js";

// ---- what a saved state may hold ----

const pairOf = (least, most) => optional(listOf(whole(least, most), 2));

const SCALES = anyOf(finite, listOf(finite, 1, 2 ** 16)); // of all numbers; of each row
export const PACKED = record({ shape: listOf(whole(1, 2 ** 18), 1, 4), scale: SCALES, data: text });

export const LAYER = record({
  kind: oneOf("conv", "norm", "relu", "sigmoid", "tanh", "max", "avg", "flatten", "linear"),
  name: words,
  shape: listOf(whole(1, 2 ** 18), 1, 3),
  ...{ weight: optional(PACKED), bias: optional(PACKED), groups: optional(whole(1, 64)) },
  ...{ kernelSize: pairOf(1, 64), stride: pairOf(1, 4096), dilation: pairOf(1, 512) },
  padding: optional(listOf(whole(0, 2048), 2, 4)),
});

/** Read a tensor: multiples of a scale, in 16 bits, or of pixels in 8; or of the scale of each row, in 8 bits. */
export function unpack({ shape, scale, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const [count, rows] = [product(shape), scale.length ?? 0];
  const isHalf = bytes.length === count && count % (rows || 1) === 0;
  if (!isHalf && (rows || bytes.length !== 2 * count)) fail(`a tensor of shape ${shape.join("×")} needs another number of values`);
  const view = new DataView(bytes.buffer);
  const read = rows ? (_, i) => view.getInt8(i) * scale[Math.floor((i * rows) / count)]
    : isHalf ? (_, i) => bytes[i] * scale
    : (_, i) => view.getInt16(2 * i, true) * scale;
  return { shape, data: Float32Array.from({ length: count }, read) };
}

/** Read the weights of layers. @returns {Layer[]} */
export const prepare = (layers) =>
  layers.map((layer) => ({
    ...layer,
    weight: layer.weight && unpack(layer.weight),
    bias: layer.bias && unpack(layer.bias),
  }));

/** Activation functions of single numbers. */
export const ACTIVATIONS = {
  relu: (x) => Math.max(x, 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

const flatten = ({ data, shape }) => ({ data, shape: [product(shape)] });

/** Multiply with a matrix: sums in double precision, each result rounded once to single. */
function linear(X, { data, shape: [outputs, inputs] }, bias) {
  const results = Float32Array.from({ length: outputs }, (_, i) => {
    let sum = bias ? bias.data[i] : 0;
    for (let j = 0; j < inputs; j++) sum += data[i * inputs + j] * X.data[j];
    return sum;
  });
  return { data: results, shape: [outputs] };
}

function runLayer(layer, X) {
  const { kind, weight, bias, kernelSize } = layer;
  if (layer.groups) return conv2d(X, weight, bias, layer);
  if (kind === "max") return maxPool2d(X, kernelSize, layer);
  if (kind === "avg") return avgPool2d(X, kernelSize, layer);
  if (kind === "flatten") return flatten(X);
  if (kind === "linear") return linear(X, weight, bias);
  return { data: X.data.map(ACTIVATIONS[kind]), shape: X.shape };
}

/**
 * Run all layers.
 * @param {Layer[]} layers @param {Tensor} image
 * @returns {Tensor[]} the image, then what each layer gives
 */
export const runAll = (layers, image) =>
  layers.reduce((outputs, layer) => [...outputs, runLayer(layer, outputs.at(-1))], [image]);

/** Take one image, and move it; zeros come in. */
export function moved({ data, shape: [, channels, height, width] }, index, right, down) {
  const pixels = new Float32Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = Math.max(down, 0); row < Math.min(height + down, height); row++) {
      for (let column = Math.max(right, 0); column < Math.min(width + right, width); column++) {
        const from = ((index * channels + channel) * height + row - down) * width + column - right;
        pixels[(channel * height + row) * width + column] = data[from];
      }
    }
  }
  return { data: pixels, shape: [channels, height, width] };
}

/** Return one number of maps. */
export const valueAt = ({ data, shape: [, height, width] }, channel, row, column) =>
  data[(channel * height + row) * width + column];

/** Return one channel of maps. */
export const channelOf = ({ data, shape: [, height, width] }, channel) => ({
  data: data.subarray(channel * height * width, (channel + 1) * height * width),
  shape: [height, width],
});

/** What one cell after some layers sees of the maps before them. @returns {Field} */
export const fieldThrough = (layers) => receptiveField(layers.filter(({ kernelSize }) => kernelSize));

/** Return the cell whose field has its middle nearest to a pixel. */
export const cellSeeing = ({ size, stride, start }, pixel, [, ...cells]) =>
  pixel.map((p, axis) => {
    const cell = Math.round((p - start[axis] - (size[axis] - 1) / 2) / stride[axis]);
    return Math.min(Math.max(cell, 0), cells[axis] - 1);
  });

/** Return the pixel in the middle of a cell's field, inside of the image. */
export const middleOf = ({ size, stride, start }, cell, [, ...cells]) =>
  cell.map((c, axis) => {
    const middle = Math.floor(start[axis] + c * stride[axis] + (size[axis] - 1) / 2);
    return Math.min(Math.max(middle, 0), cells[axis] - 1);
  });

/** Return the first cell after the padding and the end of a cell's field along each axis. */
export const sides = ({ size, stride, start }, cell, [, ...cells]) =>
  cell.map((c, axis) => {
    const first = start[axis] + c * stride[axis];
    return [Math.max(first, 0), Math.min(first + size[axis], cells[axis])];
  });

/** Return rows and columns of the window of one cell, some of which may lie in the padding. */
function windowOf(layer, cell) {
  const { start, stride } = fieldThrough([layer]);
  return layer.kernelSize.map((kernel, axis) =>
    range(kernel).map((u) => start[axis] + cell[axis] * stride[axis] + u * layer.dilation[axis]),
  );
}

const isIn = (size) => (index) => index >= 0 && index < size;

/**
 * Split one number of a convolution into what each input channel adds.
 * @param {Layer} layer @param {Tensor} X what it convolves @param {number} channel @param {number[]} cell
 * @returns {{channel: number, window: number[][], kernel: number[][], sum: number}[]} for each input channel that
 *   the number depends on, the strongest first: its window and kernel slice, and the sum of their products
 */
export function contributions(layer, X, channel, cell) {
  const [rows, columns] = windowOf(layer, cell);
  const [, height, width] = X.shape;
  const { data, shape } = layer.weight;
  const [outChannels, perGroup, kh, kw] = shape;
  const first = Math.floor((channel * layer.groups) / outChannels) * perGroup;
  const found = Array.from({ length: perGroup }, (_, i) => {
    const number = (row, column) => (isIn(height)(row) && isIn(width)(column) ? valueAt(X, first + i, row, column) : 0);
    const window = rows.map((row) => columns.map((column) => number(row, column)));
    const kernel = rows.map((_, u) => columns.map((_, v) => data[((channel * perGroup + i) * kh + u) * kw + v]));
    const weights = kernel.flat();
    const sum = window.flat().reduce((total, x, k) => total + x * weights[k], 0);
    return { channel: first + i, window, kernel, sum };
  });
  return found.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

/** Return the numbers, without padding, that one cell of a pooled channel is the largest or the mean of. */
export function pooled(layer, X, channel, cell) {
  const [rows, columns] = windowOf(layer, cell).map((indices, axis) => indices.filter(isIn(X.shape[axis + 1])));
  return rows.flatMap((row) => columns.map((column) => valueAt(X, channel, row, column)));
}
