/**
 * LeNet on a batch of images, forwards and backwards, in 64 bits. All numbers are in arrays of one type: with two,
 * the same loops take 2 to 4 times as long.
 */

import { MersenneTwister } from "./random.js";

const KERNEL = 5; // rows and columns
const SIDE = 28; // rows and columns of an image
const CLASSES = 10;

/** The two convolutions: channels, rows and columns before (with padding) and after; pooling halves the latter. */
const CONVOLUTIONS = [
  { inputs: 1, width: 32, outputs: 6, size: 28 },
  { inputs: 6, width: 14, outputs: 16, size: 10 },
];
/** The three linear layers: numbers in and out. */
const LINEAR = [[400, 120], [120, 84], [84, CLASSES]];

/** Shapes of the weights and biases, in the order of model.parameters(). */
export const PARAMETER_SHAPES = [[6, 1, 5, 5], [6], [16, 6, 5, 5], [16], [120, 400], [120], [84, 120], [84], [10, 84], [10]];
const SIZES = PARAMETER_SHAPES.map((shape) => shape.reduce((a, b) => a * b));
const PARAMETERS = SIZES.reduce((a, b) => a + b);

/** Cut an array into the weights and biases of the layers. */
function cut(parameters) {
  let end = 0;
  return SIZES.map((size) => parameters.subarray(end, (end += size)));
}

/** Draw the weights with which d2lconv.models.LeNet begins after torch.manual_seed. */
export function initialWeights(seed) {
  const generator = new MersenneTwister(seed);
  const parameters = new Float64Array(PARAMETERS);
  let fanIn;
  cut(parameters).forEach((part, i) => {
    const [, ...inputs] = PARAMETER_SHAPES[i];
    fanIn = inputs.length ? inputs.reduce((a, b) => a * b) : fanIn; // a bias has that of its weights
    part.set(generator.uniform(part.length, 1 / Math.sqrt(fanIn)));
  });
  return parameters;
}

/**
 * The nonlinearities. `apply` applies one to the numbers of X between two indices; `scale` multiplies gradients, from
 * index g on, with the slopes in terms of what it gave, from index y on. Each has loops of its own, since a browser
 * takes longer to call whichever function it is given for each number.
 */
const NONLINEARITIES = {
  relu: {
    apply(X, from, end) {
      for (let i = from; i < end; i++) if (X[i] < 0) X[i] = 0;
    },
    scale(G, g, Y, y, count) {
      for (let i = 0; i < count; i++) if (Y[y + i] <= 0) G[g + i] = 0;
    },
  },
  sigmoid: {
    apply(X, from, end) {
      for (let i = from; i < end; i++) X[i] = 1 / (1 + Math.exp(-X[i]));
    },
    scale(G, g, Y, y, count) {
      for (let i = 0; i < count; i++) G[g + i] *= (1 - Y[y + i]) * Y[y + i];
    },
  },
  tanh: {
    apply(X, from, end) {
      for (let i = from; i < end; i++) X[i] = Math.tanh(X[i]);
    },
    scale(G, g, Y, y, count) {
      for (let i = 0; i < count; i++) G[g + i] *= 1 - Y[y + i] * Y[y + i];
    },
  },
};

/** Cross-correlate maps, which begin at some index, with 5×5 kernels: two output channels and two cells at once. */
function correlate({ width, size, inputs, outputs }, X, from, W, bias, Y) {
  const area = size * size;
  const next = inputs * KERNEL ** 2; // to the weights of the next channel
  for (let o = 0; o < outputs; o += 2) {
    Y.fill(bias[o], o * area, (o + 1) * area);
    Y.fill(bias[o + 1], (o + 1) * area, (o + 2) * area);
    let w = o * next;
    for (let i = 0; i < inputs; i++) {
      for (let u = 0; u < KERNEL; u++, w += KERNEL) {
        const a0 = W[w], a1 = W[w + 1], a2 = W[w + 2], a3 = W[w + 3], a4 = W[w + 4];
        const v = w + next;
        const b0 = W[v], b1 = W[v + 1], b2 = W[v + 2], b3 = W[v + 3], b4 = W[v + 4];
        for (let r = 0; r < size; r++) {
          let p = from + (i * width + r + u) * width;
          let q = (o * size + r) * size;
          let x0 = X[p], x1 = X[p + 1], x2 = X[p + 2], x3 = X[p + 3];
          for (const end = q + size; q < end; q += 2, p += 2) {
            const x4 = X[p + 4], x5 = X[p + 5];
            Y[q] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3 + a4 * x4;
            Y[q + 1] += a0 * x1 + a1 * x2 + a2 * x3 + a3 * x4 + a4 * x5;
            Y[q + area] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3 + b4 * x4;
            Y[q + area + 1] += b0 * x1 + b1 * x2 + b2 * x3 + b3 * x4 + b4 * x5;
            x0 = x2;
            x1 = x3;
            x2 = x4;
            x3 = x5;
          }
        }
      }
    }
  }
}

/**
 * Go back through a convolution: add to the gradients of its kernels, of its biases and, where there is one, of its
 * input. G is the gradient of its output; two output channels are taken at once.
 */
function correlateBack({ width, size, inputs, outputs }, X, from, W, G, dW, dBias, dX) {
  const area = size * size;
  const next = inputs * KERNEL ** 2; // to the weights of the next channel
  for (let o = 0; o < outputs; o++) {
    let sum = 0;
    for (let q = o * area; q < (o + 1) * area; q++) sum += G[q];
    dBias[o] += sum;
  }
  for (let o = 0; o < outputs; o += 2) {
    let w = o * next;
    for (let i = 0; i < inputs; i++) {
      for (let u = 0; u < KERNEL; u++, w += KERNEL) {
        const first = (i * width + u) * width;
        addRows(X, from + first, width, G, o * area, size, dW, w, next);
        if (dX) addKernelRows(W, w, next, G, o * area, size, dX, first, width);
      }
    }
  }
}

/** Add to the gradients of a row of weights of two channels: each cell's gradient times the numbers of its window. */
function addRows(X, from, width, G, start, size, dW, w, next) {
  const area = size * size;
  let a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0;
  let b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0;
  for (let r = 0, q = start; r < size; r++) {
    let p = from + r * width;
    let x0 = X[p], x1 = X[p + 1], x2 = X[p + 2], x3 = X[p + 3];
    for (const end = q + size; q < end; q++, p++) {
      const x4 = X[p + 4];
      const g = G[q], h = G[q + area];
      a0 += g * x0;
      a1 += g * x1;
      a2 += g * x2;
      a3 += g * x3;
      a4 += g * x4;
      b0 += h * x0;
      b1 += h * x1;
      b2 += h * x2;
      b3 += h * x3;
      b4 += h * x4;
      x0 = x1;
      x1 = x2;
      x2 = x3;
      x3 = x4;
    }
  }
  dW[w] += a0;
  dW[w + 1] += a1;
  dW[w + 2] += a2;
  dW[w + 3] += a3;
  dW[w + 4] += a4;
  const v = w + next;
  dW[v] += b0;
  dW[v + 1] += b1;
  dW[v + 2] += b2;
  dW[v + 3] += b3;
  dW[v + 4] += b4;
}

/** Add to the gradient of the input: each cell's gradient times the row of weights, of two channels. */
function addKernelRows(W, w, next, G, start, size, dX, from, width) {
  const area = size * size;
  const v = w + next;
  const a0 = W[w], a1 = W[w + 1], a2 = W[w + 2], a3 = W[w + 3], a4 = W[w + 4];
  const b0 = W[v], b1 = W[v + 1], b2 = W[v + 2], b3 = W[v + 3], b4 = W[v + 4];
  for (let r = 0, q = start; r < size; r++) {
    let p = from + r * width;
    let d0 = dX[p], d1 = dX[p + 1], d2 = dX[p + 2], d3 = dX[p + 3];
    for (const end = q + size; q < end; q++, p++) {
      const d4 = dX[p + 4];
      const g = G[q], h = G[q + area];
      dX[p] = d0 + (g * a0 + h * b0);
      d0 = d1 + (g * a1 + h * b1);
      d1 = d2 + (g * a2 + h * b2);
      d2 = d3 + (g * a3 + h * b3);
      d3 = d4 + (g * a4 + h * b4);
    }
    dX[p] = d0;
    dX[p + 1] = d1;
    dX[p + 2] = d2;
    dX[p + 3] = d3;
  }
}

/** The same where the gradient of the output is zero in most cells, as behind a maximum: only the others count. */
function correlateBackFew({ width, size, inputs, outputs }, X, from, W, G, dW, dBias, dX, cells, values) {
  for (let o = 0, w = 0; o < outputs; o++) {
    let count = 0;
    for (let r = 0, q = o * size * size; r < size; r++) {
      for (let c = 0; c < size; c++, q++) {
        const g = G[q];
        if (g === 0) continue;
        dBias[o] += g;
        cells[count] = r * width + c;
        values[count++] = g;
      }
    }
    for (let i = 0; i < inputs; i++) {
      for (let u = 0; u < KERNEL; u++, w += KERNEL) {
        const first = i * width * width + u * width;
        addProducts(X, from + first, cells, values, count, dW, w);
        if (dX) addKernels(W, w, cells, values, count, dX, first);
      }
    }
  }
}

/** Add to the gradients of a row of weights: for each cell, its gradient times the numbers of the window. */
function addProducts(X, from, cells, values, count, dW, w) {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0;
  for (let k = 0; k < count; k++) {
    const p = from + cells[k];
    const g = values[k];
    s0 += g * X[p];
    s1 += g * X[p + 1];
    s2 += g * X[p + 2];
    s3 += g * X[p + 3];
    s4 += g * X[p + 4];
  }
  dW[w] += s0;
  dW[w + 1] += s1;
  dW[w + 2] += s2;
  dW[w + 3] += s3;
  dW[w + 4] += s4;
}

/** Add to the gradient of the input: for each cell, its gradient times the row of weights. */
function addKernels(W, w, cells, values, count, dX, from) {
  const w0 = W[w], w1 = W[w + 1], w2 = W[w + 2], w3 = W[w + 3], w4 = W[w + 4];
  for (let k = 0; k < count; k++) {
    const p = from + cells[k];
    const g = values[k];
    dX[p] += g * w0;
    dX[p + 1] += g * w1;
    dX[p + 2] += g * w2;
    dX[p + 3] += g * w3;
    dX[p + 4] += g * w4;
  }
}

/** Keep the largest number of each 2×2 window, the first of those that are equal, and where it is. */
function poolMax({ outputs, size }, Y, P, to, winners) {
  for (let row = 0, k = to; row < outputs * size; row += 2) {
    for (let c = 0; c < size; c += 2, k++) {
      let q = row * size + c;
      let best = Y[q];
      winners[k] = q;
      for (let i = 1; i < 4; i++) {
        q += i === 2 ? size - 1 : 1;
        if (!(Y[q] > best || Y[q] !== Y[q])) continue; // NaN is not equal to itself
        best = Y[q];
        winners[k] = q;
      }
      P[k] = best;
    }
  }
}

/** Take the mean of each 2×2 window. */
function poolMean({ outputs, size }, A, P, to) {
  for (let row = 0, k = to; row < outputs * size; row += 2) {
    for (let c = 0; c < size; c += 2, k++) {
      const q = row * size + c;
      P[k] = (A[q] + A[q + 1] + A[q + size] + A[q + size + 1]) / 4;
    }
  }
}

/**
 * Multiply some vectors with a matrix, and add the biases: four vectors with two rows at once. The arrays have room
 * for whole fours.
 */
function multiply(count, X, [inputs, outputs], W, bias, Y) {
  for (let n = 0; n < count; n += 4) {
    for (let o = 0; o < outputs; o += 2) {
      const end = (o + 1) * inputs;
      let a0 = bias[o], a1 = a0, a2 = a0, a3 = a0;
      let b0 = bias[o + 1], b1 = b0, b2 = b0, b3 = b0;
      for (let w = o * inputs, p = n * inputs; w < end; w++, p++) {
        const a = W[w], b = W[w + inputs];
        const x0 = X[p], x1 = X[p + inputs], x2 = X[p + 2 * inputs], x3 = X[p + 3 * inputs];
        a0 += a * x0;
        a1 += a * x1;
        a2 += a * x2;
        a3 += a * x3;
        b0 += b * x0;
        b1 += b * x1;
        b2 += b * x2;
        b3 += b * x3;
      }
      const q = n * outputs + o;
      Y[q] = a0;
      Y[q + 1] = b0;
      Y[q + outputs] = a1;
      Y[q + outputs + 1] = b1;
      Y[q + 2 * outputs] = a2;
      Y[q + 2 * outputs + 1] = b2;
      Y[q + 3 * outputs] = a3;
      Y[q + 3 * outputs + 1] = b3;
    }
  }
}

/** Go back through `multiply`: add to the gradients of matrix and biases, and set that of the vectors. */
function multiplyBack(count, X, [inputs, outputs], W, G, dW, dBias, dX) {
  dX.fill(0);
  G.fill(0, count * outputs);
  for (let n = 0; n < count; n += 4) {
    for (let o = 0; o < outputs; o += 2) {
      const q0 = n * outputs + o, q1 = q0 + outputs, q2 = q1 + outputs, q3 = q2 + outputs;
      const a0 = G[q0], a1 = G[q1], a2 = G[q2], a3 = G[q3];
      const b0 = G[q0 + 1], b1 = G[q1 + 1], b2 = G[q2 + 1], b3 = G[q3 + 1];
      dBias[o] += a0 + a1 + a2 + a3;
      dBias[o + 1] += b0 + b1 + b2 + b3;
      const end = (o + 1) * inputs;
      for (let w = o * inputs, p0 = n * inputs; w < end; w++, p0++) {
        const p1 = p0 + inputs, p2 = p1 + inputs, p3 = p2 + inputs;
        const x0 = X[p0], x1 = X[p1], x2 = X[p2], x3 = X[p3];
        dW[w] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
        dW[w + inputs] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3;
        const a = W[w], b = W[w + inputs];
        dX[p0] += a0 * a + b0 * b;
        dX[p1] += a1 * a + b1 * b;
        dX[p2] += a2 * a + b2 * b;
        dX[p3] += a3 * a + b3 * b;
      }
    }
  }
}

/** Send the gradient of each maximum to the cell that it came from. */
function spread(G, dP, from, winners, first, count) {
  G.fill(0);
  for (let k = 0; k < count; k++) G[winners[first + k]] = dP[from + k];
}

/** Send a quarter of the gradient of each mean to each of its cells. */
function spreadEvenly({ outputs, size }, G, dP, from) {
  for (let row = 0, k = from; row < outputs * size; row += 2) {
    for (let c = 0; c < size; c += 2, k++) {
      const q = row * size + c;
      const g = dP[k] / 4;
      G[q] = g;
      G[q + 1] = g;
      G[q + size] = g;
      G[q + size + 1] = g;
    }
  }
}

/** A network with its weights, and room for what it computes of a batch. */
export class Network {
  /**
   * @param {{activation: string, pooling: string}} settings
   * @param {Float64Array} parameters all weights and biases
   * @param {number} most images in a batch
   */
  constructor({ activation, pooling }, parameters, most) {
    const capacity = Math.ceil(most / 4) * 4; // the linear layers take four at once
    const room = (size) => new Float64Array(capacity * size);
    this.nonlinearity = NONLINEARITIES[activation];
    this.takesMax = pooling === "max";
    this.parameters = parameters;
    this.gradients = new Float64Array(PARAMETERS);
    this.weights = cut(parameters);
    this.weightGradients = cut(this.gradients);
    this.images = room(CONVOLUTIONS[0].width ** 2); // with their padding
    this.convolved = CONVOLUTIONS.map(({ outputs, size }) => new Float64Array(outputs * size * size));
    this.pooled = CONVOLUTIONS.map(({ outputs, size }) => room((outputs * size * size) / 4));
    // What the way back needs: which number was the largest, or all after the nonlinearity.
    this.winners = this.pooled.map(({ length }) => new Int32Array(length));
    this.active = this.takesMax ? [] : CONVOLUTIONS.map(({ outputs, size }) => room(outputs * size * size));
    this.vectors = [this.pooled[1], ...LINEAR.map(([, outputs]) => room(outputs))];
    this.vectorGradients = this.vectors.map(({ length }) => new Float64Array(length));
    this.mapGradients = new Float64Array(this.pooled[0].length / capacity);
    this.cells = new Int32Array(SIDE ** 2); // where one channel's gradient is not zero, and its values there
    this.values = new Float64Array(SIDE ** 2);
  }

  /** The scores of the batch, one after the other. */
  get scores() {
    return this.vectors[3];
  }

  /** Put an image into the batch, moved by some pixels; zeros come in. */
  place(n, image, down = 0, right = 0) {
    const { width } = CONVOLUTIONS[0];
    const [padding, first] = [(width - SIDE) / 2, n * width ** 2];
    this.images.fill(0, first, first + width ** 2);
    for (let r = Math.max(down, 0); r < SIDE + Math.min(down, 0); r++) {
      for (let c = Math.max(right, 0); c < SIDE + Math.min(right, 0); c++) {
        this.images[first + (r + padding) * width + c + padding] = image[(r - down) * SIDE + c - right];
      }
    }
  }

  /** Take one image of the batch through both convolutions. */
  encode(n) {
    let maps = this.images;
    CONVOLUTIONS.forEach((layer, l) => {
      const { inputs, width, outputs, size } = layer;
      const [Y, P] = [this.convolved[l], this.pooled[l]];
      const [all, kept] = [outputs * size * size, (outputs * size * size) / 4];
      correlate(layer, maps, n * inputs * width * width, this.weights[2 * l], this.weights[2 * l + 1], Y);
      if (this.takesMax) { // before the nonlinearity, which is the same, as it never falls, and a quarter of the work
        poolMax(layer, Y, P, n * kept, this.winners[l]);
        this.nonlinearity.apply(P, n * kept, (n + 1) * kept);
      } else {
        this.nonlinearity.apply(Y, 0, all);
        this.active[l].set(Y, n * all);
        poolMean(layer, Y, P, n * kept);
      }
      maps = P;
    });
  }

  /** Take the first images of the batch through the linear layers. */
  score(count) {
    LINEAR.forEach((size, l) => {
      const [X, Y] = [this.vectors[l], this.vectors[l + 1]];
      multiply(count, X, size, this.weights[4 + 2 * l], this.weights[5 + 2 * l], Y);
      if (l < 2) this.nonlinearity.apply(Y, 0, count * size[1]);
    });
  }

  /**
   * Compare the scores with the labels; the gradient of the mean cross-entropy is kept.
   * @returns {{loss: number, correct: number}} the sum of the cross-entropies, and the number of correct answers
   */
  judge(count, labels) {
    const gradients = this.vectorGradients[3];
    let [loss, correct] = [0, 0];
    for (let n = 0; n < count; n++) {
      const scores = this.scores.subarray(n * CLASSES, (n + 1) * CLASSES);
      const best = scores.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a));
      const total = scores.reduce((sum, score) => sum + Math.exp(score - best), 0);
      loss += Math.log(total) + best - scores[labels[n]];
      correct += scores.indexOf(best) === labels[n] ? 1 : 0;
      for (let c = 0; c < CLASSES; c++) {
        const probability = Math.exp(scores[c] - best - Math.log(total));
        gradients[n * CLASSES + c] = (probability - (c === labels[n] ? 1 : 0)) / count;
      }
    }
    return { loss, correct };
  }

  /** Go back from the scores to the maps; all gradients of weights begin here. */
  scoreBack(count) {
    this.gradients.fill(0);
    for (let l = 2; l >= 0; l--) {
      const [X, G, dX] = [this.vectors[l], this.vectorGradients[l + 1], this.vectorGradients[l]];
      const [dW, dBias] = [this.weightGradients[4 + 2 * l], this.weightGradients[5 + 2 * l]];
      multiplyBack(count, X, LINEAR[l], this.weights[4 + 2 * l], G, dW, dBias, dX);
      if (l > 0) this.nonlinearity.scale(dX, 0, X, 0, count * LINEAR[l][0]);
    }
  }

  /** Go back through both convolutions with one image of the batch. */
  encodeBack(n) {
    for (let l = 1; l >= 0; l--) {
      const layer = CONVOLUTIONS[l];
      const { inputs, width, outputs, size } = layer;
      const [G, kept] = [this.convolved[l], (outputs * size * size) / 4];
      const [dP, from] = l === 1 ? [this.vectorGradients[0], n * kept] : [this.mapGradients, 0];
      const [X, dX] = l === 1 ? [this.pooled[0], this.mapGradients] : [this.images, null];
      const [W, dW, dBias] = [this.weights[2 * l], this.weightGradients[2 * l], this.weightGradients[2 * l + 1]];
      const start = n * inputs * width * width;
      if (this.takesMax) {
        this.nonlinearity.scale(dP, from, this.pooled[l], n * kept, kept);
        spread(G, dP, from, this.winners[l], n * kept, kept);
        dX?.fill(0);
        correlateBackFew(layer, X, start, W, G, dW, dBias, dX, this.cells, this.values);
      } else {
        spreadEvenly(layer, G, dP, from);
        this.nonlinearity.scale(G, 0, this.active[l], n * G.length, G.length);
        dX?.fill(0);
        correlateBack(layer, X, start, W, G, dW, dBias, dX);
      }
    }
  }
}
