/** The backward pass of a convolution and of what follows it, in double precision. Pure functions. */

import { fail, range } from "../shared/geometry.js";

export const LAYERS = ["nothing", "ReLU", "max pooling"];

const map = (rows, call) => rows.map((line, r) => line.map((value, c) => call(value, r, c)));
const zeros = (rows, columns) => range(rows).map(() => Array(columns).fill(0));
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

/** Cross-correlate two matrices: what a convolution's forward pass does. */
export const correlate = (X, K) =>
  map(zeros(X.length - K.length + 1, X[0].length - K[0].length + 1), (_, r, c) =>
    total(K.flatMap((line, u) => line.map((weight, v) => weight * X[r + u][c + v]))),
  );

/** Return the first of the largest cells of a 2×2 window, as PyTorch chooses it: [row, column]. */
export function largestOf(Y, r, c) {
  const cells = [0, 1].flatMap((u) => [0, 1].map((v) => [2 * r + u, 2 * c + v]));
  return cells.reduce((best, cell) => (Y[cell[0]][cell[1]] > Y[best[0]][best[1]] ? cell : best));
}

/** Return what the layer behind the convolution makes of its output. */
export function forward(Y, layer) {
  if (layer === "nothing") return Y;
  if (layer === "ReLU") return map(Y, (value) => Math.max(value, 0));
  const [rows, columns] = [Math.floor(Y.length / 2), Math.floor(Y[0].length / 2)];
  if (rows < 1 || columns < 1) fail(`max pooling needs an output of at least 2×2 cells, got ${Y.length}×${Y[0].length}`);
  return map(zeros(rows, columns), (_, r, c) => {
    const [row, column] = largestOf(Y, r, c);
    return Y[row][column];
  });
}

/** Send the gradient G, which comes from above, back through the layer behind the convolution. */
export function throughLayer(Y, G, layer) {
  if (layer === "nothing") return G;
  if (layer === "ReLU") return map(Y, (value, r, c) => (value > 0 ? G[r][c] : 0));
  const back = zeros(Y.length, Y[0].length);
  map(G, (value, r, c) => {
    const [row, column] = largestOf(Y, r, c);
    back[row][column] = value;
  });
  return back;
}

/** The kernel's gradient: the input correlated with the output's gradient. */
export const kernelGradient = (X, G) => correlate(X, G);

/** The input's gradient: each output lays down a copy of the kernel, times its gradient. */
export function inputGradient(G, K) {
  const back = zeros(G.length + K.length - 1, G[0].length + K[0].length - 1);
  map(G, (value, r, c) => map(K, (weight, u, v) => (back[r + u][c + v] += value * weight)));
  return back;
}

/** Cut a matrix to a size, or fill it up with zeros. */
export const fitTo = (G, like) => map(like, (_, r, c) => G[r]?.[c] ?? 0);

/** The mean of the squared differences, and its gradient. */
export const meanSquare = (Z, T) => total(Z.flatMap((line, r) => line.map((z, c) => (z - T[r][c]) ** 2))) / Z.flat().length;
const squareGradient = (Z, T) => map(Z, (z, r, c) => (2 * (z - T[r][c])) / Z.flat().length);

/**
 * Go forward and back once.
 * @param {{input: number[][], kernel: number[][], above: number[][], target: ?number[][], layer: string}} setting
 *   without a target, `above` is the gradient that comes from above
 * @returns {object} Y, Z: the outputs; G: the gradient from above; dY, dK, dX: those below; loss, with a target
 */
export function pass({ input: X, kernel: K, above, target, layer }) {
  const Y = correlate(X, K);
  const Z = forward(Y, layer);
  const T = target && fitTo(target, Z);
  const G = T ? squareGradient(Z, T) : fitTo(above, Z);
  const dY = throughLayer(Y, G, layer);
  return { X, K, Y, Z, T, G, dY, dK: kernelGradient(X, dY), dX: inputGradient(dY, K), loss: T && meanSquare(Z, T) };
}

/**
 * Take steps against the kernel's gradient.
 * @returns {{kernels: number[][][], losses: number[]}} before each step, and after the last
 */
export function learn(setting, rate, steps) {
  const kernels = [setting.kernel];
  const losses = [pass(setting).loss];
  for (const step of range(steps)) {
    const { dK } = pass({ ...setting, kernel: kernels.at(-1) });
    kernels.push(map(kernels.at(-1), (weight, u, v) => weight - rate * dK[u][v]));
    losses.push(pass({ ...setting, kernel: kernels.at(-1) }).loss);
    if (!(losses.at(-1) < 1e12)) fail(`after ${step + 1} steps the loss is above 10¹²: this learning rate is too large`);
  }
  return { kernels, losses };
}
