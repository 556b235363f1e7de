/**
 * The arithmetic of the figures: d2lconv.shapes and d2lconv.ops in the browser. Pure functions.
 *
 * A size or setting is a number or a pair [height, width]. Views check the numbers that they read, so only
 * settings that a reader can choose and that do not go together are looked for here: a RangeError says what is
 * wrong, in the words of the Python package, ready to be shown. Cells count from the input's corner, so -1 is
 * the padding just before it.
 *
 * @typedef {number | [number, number]} Size
 * @typedef {"valid" | "same" | "full" | number | number[]} Padding everywhere, (height, width) or four sides
 * @typedef {{stride?: Size, padding?: Padding, dilation?: Size}} Setting
 * @typedef {{stride?: Size, padding?: Size, dilation?: Size, ceilMode?: boolean}} PoolSetting stride: the
 *   window's own size if not given
 * @typedef {{data: Float32Array, shape: number[]}} Tensor row by row
 * @typedef {{size: number, kernel: number, stride: number, before: number, after: number, dilation: number,
 *   out: number}} Axis a setting along one axis: padding before and after, output size
 */

/** Most multiply-adds or comparisons at a time: more would freeze the page. */
const MAX_WORK = 2 ** 26;

export const range = (length) => [...Array(length).keys()];

export const product = (values) => values.reduce((a, b) => a * b, 1);

/** Write numbers as Python does: (3, 3). */
const tuple = (value) => (Array.isArray(value) ? `(${value.map(tuple).join(", ")})` : String(value));

/** Write only one number where all are the same. */
const briefly = (values) => tuple(values.every((value) => value === values[0]) ? values[0] : values);

export function fail(message) {
  throw new RangeError(message);
}

const perAxis = (value, axes) => (Array.isArray(value) ? value : Array(axes).fill(value));

const readSetting = (axes, kernelSize, stride = 1, dilation = 1) => ({
  kernel: perAxis(kernelSize, axes),
  stride: perAxis(stride, axes),
  dilation: perAxis(dilation, axes),
});

/** Count the input cells from the first to the last cell of a dilated kernel. */
export const effectiveKernelSize = (kernel, dilation) => dilation * (kernel - 1) + 1;

/** Return the padding [before, after] along each axis. */
function readPadding(padding, { kernel, stride, dilation }) {
  const axes = kernel.length;
  if (Array.isArray(padding) && padding.length === 2 * axes) {
    return range(axes).map((axis) => padding.slice(2 * axis, 2 * axis + 2));
  }
  if (typeof padding !== "string") return perAxis(padding, axes).map((amount) => [amount, amount]);
  if (padding === "same" && Math.max(...stride) > 1) {
    fail(
      `padding='same' needs stride 1, got stride ${briefly(stride)}: ` +
        "with a larger stride give the padding in numbers, for example from padding_for",
    );
  }
  return kernel.map((k, axis) => {
    const zeros = effectiveKernelSize(k, dilation[axis]) - 1;
    if (padding === "valid") return [0, 0];
    return padding === "full" ? [zeros, zeros] : [Math.floor(zeros / 2), Math.ceil(zeros / 2)];
  });
}

/**
 * Return the padding [top, bottom, left, right] that a mode, number, pair or four numbers stand for.
 * @param {Padding} padding @param {Size} kernelSize @param {Setting} [options] stride and dilation
 * @returns {number[]}
 */
export function paddingSides(padding, kernelSize, { stride, dilation } = {}) {
  return readPadding(padding, readSetting(2, kernelSize, stride, dilation)).flat();
}

// ---- sizes ----

/** Count the positions of the kernel along each axis. */
function countOutputs(size, { kernel, stride, dilation }, sides, ceilMode = false) {
  return size.map((n, axis) => {
    const [k, s, d, [before, after]] = [kernel[axis], stride[axis], dilation[axis], sides[axis]];
    const steps = (before + n + after - effectiveKernelSize(k, d)) / s;
    // In ceil mode a last window that hangs over counts if it starts before the end of the input.
    const hangsOver = ceilMode && Math.ceil(steps) * s < before + n;
    const out = (hangsOver ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (out < 1) {
      fail(
        `kernel_size ${tuple(kernel)} with dilation ${tuple(dilation)} spans more cells than the padded ` +
          `input: ${effectiveKernelSize(k, d)} > ${before} + ${n} + ${after} ` +
          `(input size ${tuple(size)}, padding ${tuple(sides)})`,
      );
    }
    return { size: n, kernel: k, stride: s, before, after, dilation: d, out };
  });
}

/**
 * Lay out a convolution of a size (height, width), axis by axis.
 * @param {[number, number]} size @param {Size} kernelSize @param {Setting} [options]
 * @returns {Axis[]}
 */
export function convAxes(size, kernelSize, { stride, padding = 0, dilation } = {}) {
  const setting = readSetting(2, kernelSize, stride, dilation);
  return countOutputs(size, setting, readPadding(padding, setting));
}

/**
 * The same for pooling.
 * @param {[number, number]} size @param {Size} kernelSize @param {PoolSetting} [options]
 * @returns {Axis[]}
 */
export function poolAxes(size, kernelSize, { stride, padding = 0, dilation, ceilMode } = {}) {
  const setting = readSetting(2, kernelSize, stride ?? kernelSize, dilation);
  const cells = perAxis(padding, 2);
  if (cells.some((amount, axis) => 2 * amount > setting.kernel[axis])) {
    fail(`padding must be at most half of kernel_size ${briefly(setting.kernel)}, got ${briefly(cells)}`);
  }
  const sides = cells.map((amount) => [amount, amount]);
  return countOutputs(size, setting, sides, ceilMode);
}

/** Say in a reader's words why a kernel does not fit on a padded input. @param {number[]} padded its rows and columns */
export function checkReach(kernel, dilation, padded) {
  padded.forEach((cells, axis) => {
    const reach = effectiveKernelSize(kernel[axis], dilation[axis]);
    const what = `${["row", "column"][axis]}${reach === 1 ? "" : "s"}`;
    const rule = `the kernel reaches over ${reach} ${what}, but the padded input has only ${cells}`;
    if (reach > cells) fail(`${rule}; more padding or a larger input helps, or a smaller kernel or dilation`);
  });
}

// ---- which input cells belong to which outputs: every one of the rows with every one of the cols ----

const windowAlong = ({ kernel, stride, before, dilation }, position) =>
  range(kernel).map((u) => position * stride - before + u * dilation);

const positionsOver = ({ kernel, stride, before, dilation, out }, cell) =>
  range(kernel)
    .map((u) => (cell + before - u * dilation) / stride)
    .filter((position) => Number.isInteger(position) && position >= 0 && position < out)
    .reverse();

/**
 * Return the input cells in an output cell's window. Some may lie in the padding, in ceil mode also beyond.
 * @param {number} row @param {number} col @param {Axis[]} axes from convAxes or poolAxes
 * @returns {{rows: number[], cols: number[]}}
 */
export function windowCells(row, col, [height, width]) {
  return { rows: windowAlong(height, row), cols: windowAlong(width, col) };
}

/**
 * Return the output cells whose windows hold a cell of the input or its padding.
 * @param {number} row @param {number} col @param {Axis[]} axes
 * @returns {{rows: number[], cols: number[]}}
 */
export function outputsFedBy(row, col, [height, width]) {
  return { rows: positionsOver(height, row), cols: positionsOver(width, col) };
}

/** Tell whether a cell is one of some rows and columns. */
export const holds = ({ rows, cols }, row, col) => rows.includes(row) && cols.includes(col);

/**
 * Return the rows and columns, also of the padding, that no window holds: those at the end, where the next
 * window would not fit, and those that a stride or dilation jumps over.
 * @param {Axis[]} axes
 * @returns {{rows: number[], cols: number[]}}
 */
export function droppedCells(axes) {
  const [rows, cols] = axes.map((axis) => {
    const held = [];
    for (const position of range(axis.out)) {
      for (const cell of windowAlong(axis, position)) held[cell + axis.before] = true;
    }
    const padded = range(axis.before + axis.size + axis.after);
    return padded.filter((i) => !held[i]).map((i) => i - axis.before);
  });
  return { rows, cols };
}

// ---- operators: sums in double precision, each result rounded once to single ----

/**
 * Compute every output cell from the two sides of its window, its rows and its columns. A side lists the
 * cells inside the input as [number in the window, input cell], and counts those inside the padding too.
 */
function overWindows(channels, axes, perCell, compute) {
  const shape = [channels, ...axes.map((axis) => axis.out)];
  if (!(product(shape) * perCell <= MAX_WORK)) fail("it needs too many operations for a page");
  const [rows, cols] = axes.map((axis) =>
    range(axis.out).map((position) => {
      const cells = windowAlong(axis, position);
      return {
        inside: [...cells.entries()].filter(([, cell]) => cell >= 0 && cell < axis.size),
        counted: cells.filter((cell) => cell < axis.size + axis.after).length,
      };
    }),
  );
  const data = new Float32Array(product(shape)); // rounds what it stores
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const row of rows) {
      for (const col of cols) data[at++] = compute(channel, row, col);
    }
  }
  return { data, shape };
}

/**
 * Convolve an image with kernels, as torch.nn.functional.conv2d does.
 * @param {Tensor} X shape [C_in, H, W]
 * @param {Tensor} weight shape [C_out, C_in / groups, k_h, k_w]
 * @param {?Tensor} [bias] shape [C_out]
 * @param {Setting & {groups?: number}} [options]
 * @returns {Tensor} shape [C_out, H_out, W_out]
 */
export function conv2d(X, weight, bias = null, { groups = 1, ...options } = {}) {
  const [, h, w] = X.shape;
  const [outChannels, perGroup, kh, kw] = weight.shape;
  const axes = convAxes([h, w], [kh, kw], options);
  return overWindows(outChannels, axes, perGroup * kh * kw, (o, rows, cols) => {
    const first = Math.floor((o * groups) / outChannels) * perGroup; // input channel of o's group
    let sum = bias ? bias.data[o] : 0;
    for (let i = 0; i < perGroup; i++) {
      for (const [u, row] of rows.inside) {
        const k = ((o * perGroup + i) * kh + u) * kw; // where the kernel's row begins
        const x = ((first + i) * h + row) * w; // and the input's
        for (const [v, col] of cols.inside) sum += weight.data[k + v] * X.data[x + col];
      }
    }
    return sum;
  });
}

/** Turn the numbers in each window into one. */
function pool2d(X, kernelSize, options, combine) {
  const [channels, h, w] = X.shape;
  const axes = poolAxes([h, w], kernelSize, options);
  return overWindows(channels, axes, axes[0].kernel * axes[1].kernel, (channel, rows, cols) => {
    const value = (row, col) => X.data[(channel * h + row) * w + col];
    const numbers = rows.inside.flatMap(([, row]) => cols.inside.map(([, col]) => value(row, col)));
    return combine(numbers, rows.counted * cols.counted);
  });
}

/**
 * Return the largest number in each window. As in PyTorch, NaN wins, and a window that sees only padding
 * (a dilation can step over the input) gives -Infinity.
 * @param {Tensor} X shape [C, H, W] @param {Size} kernelSize @param {PoolSetting} [options]
 * @returns {Tensor} shape [C, H_out, W_out]
 */
export function maxPool2d(X, kernelSize, options) {
  return pool2d(X, kernelSize, options, (numbers) =>
    numbers.reduce((best, number) => Math.max(best, number), -Infinity),
  );
}

/**
 * Return the mean of each window. What hangs over the padding in ceil mode is never counted.
 * @param {Tensor} X shape [C, H, W] @param {Size} kernelSize
 * @param {PoolSetting & {countIncludePad?: boolean}} [options] without dilation, as in PyTorch
 * @returns {Tensor} shape [C, H_out, W_out]
 */
export function avgPool2d(X, kernelSize, { stride, padding, ceilMode, countIncludePad = true } = {}) {
  return pool2d(X, kernelSize, { stride, padding, ceilMode }, (numbers, counted) => {
    const sum = numbers.reduce((a, b) => a + b, 0);
    return sum / (countIncludePad ? counted : numbers.length);
  });
}

/** Turn channels of rows of numbers into a tensor. @param {number[][][]} channels */
export const toTensor = (channels) => ({
  data: Float32Array.from(channels.flat(2)),
  shape: [channels.length, channels[0].length, channels[0][0].length],
});

/** Turn a tensor of channels into rows of numbers. @param {Tensor} tensor @returns {number[][][]} */
export function toRows({ data, shape: [channels, height, width] }) {
  const line = (at) => Array.from(data.subarray(at * width, (at + 1) * width));
  return range(channels).map((channel) => range(height).map((row) => line(channel * height + row)));
}

// ---- stacks of layers, from input to output ----

/**
 * Return the part of the input that one output cell depends on: its size, how far it moves from one output
 * to the next, and the first row and column for output (0, 0).
 * @param {(Setting & {kernelSize: Size})[]} layers
 * @returns {{size: number[], stride: number[], start: number[]}}
 */
export function receptiveField(layers) {
  const field = { size: [1, 1], stride: [1, 1], start: [0, 0] };
  for (const { kernelSize, stride, padding = 0, dilation } of layers) {
    const setting = readSetting(2, kernelSize, stride, dilation);
    const sides = readPadding(padding, setting);
    for (const axis of [0, 1]) {
      const cells = effectiveKernelSize(setting.kernel[axis], setting.dilation[axis]);
      field.size[axis] += (cells - 1) * field.stride[axis];
      field.start[axis] -= sides[axis][0] * field.stride[axis];
      field.stride[axis] *= setting.stride[axis];
    }
  }
  return field;
}

/**
 * Count the paths from an output cell to each cell of its receptive field along one axis. With equal weights,
 * the derivative is proportional to it.
 * @param {{kernelSize: number, stride: number, dilation: number}[]} layers
 * @returns {number[]}
 */
export function effectiveField(layers) {
  return layers.reduceRight(
    (above, { kernelSize: k, stride: s, dilation: d }) => {
      const below = Array((above.length - 1) * s + effectiveKernelSize(k, d)).fill(0);
      above.forEach((paths, position) => range(k).forEach((u) => (below[position * s + u * d] += paths)));
      return below;
    },
    [1],
  );
}
