/**
 * The arithmetic of the moving figures: d2lconv.shapes and d2lconv.ops in the browser. Pure functions.
 *
 * A size or setting is a number or a pair [height, width]. All are checked: a RangeError says what is wrong,
 * in the words of the Python package, ready to be shown. Cells count from the input's corner, so -1 is the
 * padding just before it.
 *
 * @typedef {number | [number, number]} Size
 * @typedef {"valid" | "same" | "full" | number | number[]} Padding everywhere, (height, width) or four sides
 * @typedef {{stride?: Size, padding?: Padding, dilation?: Size}} Setting
 * @typedef {{stride?: Size, padding?: Size, dilation?: Size, ceilMode?: boolean}} PoolSetting stride: the
 *   window's own size if not given
 * @typedef {{data: Float32Array, shape: number[]}} Tensor row by row
 * @typedef {{size: number, kernel: number, stride: number, before: number, after: number, dilation: number,
 *   out: number}} Axis a checked setting along one axis: padding before and after, output size
 */

/** Largest size, setting or number of channels. */
export const MAX_SIZE = 4096;

/** Most multiply-adds or comparisons at a time: more would freeze the page. */
export const MAX_WORK = 2 ** 26;

// ---- arguments ----

/** Write a value as Python does: (3, 3). */
function show(value) {
  if (typeof value === "string") return `'${value}'`;
  if (!Array.isArray(value)) return String(value);
  return `(${value.map(show).join(", ")}${value.length === 1 ? "," : ""})`;
}

/** Write only one number where all are the same. */
const short = (values) => show(values.every((value) => value === values[0]) ? values[0] : values);

const product = (values) => values.reduce((a, b) => a * b, 1);

function fail(message) {
  throw new RangeError(message);
}

function integer(name, value, minimum, maximum = MAX_SIZE) {
  if (!Number.isInteger(value)) fail(`${name} must be an integer, got ${show(value)}`);
  if (value < minimum) fail(`${name} must be at least ${minimum}, got ${value}`);
  if (value > maximum) fail(`${name} must be at most ${maximum}, got ${value}`);
  return value;
}

/** Return one integer for each axis. */
function perAxis(name, value, axes, minimum) {
  if (!Array.isArray(value)) return Array(axes).fill(integer(name, value, minimum));
  if (value.length === axes) return value.map((number) => integer(name, number, minimum));
  const allowed = axes === 1 ? "one integer" : "an integer or a pair (height, width)";
  return fail(`${name} must be ${allowed}, got ${show(value)}`);
}

const readSetting = (axes, kernelSize, stride = 1, dilation = 1) => ({
  kernel: perAxis("kernel_size", kernelSize, axes, 1),
  stride: perAxis("stride", stride, axes, 1),
  dilation: perAxis("dilation", dilation, axes, 1),
});

/** Count the input cells that a dilated kernel reaches over. */
const span = (kernel, dilation) => dilation * (kernel - 1) + 1;

/** Return the padding [before, after] along each axis. */
function readPadding(padding, { kernel, stride, dilation }) {
  const axes = kernel.length;
  const modes = "'valid', 'same', 'full'";
  if (typeof padding === "string") {
    if (padding === "same" && Math.max(...stride) > 1) {
      fail(
        `padding='same' needs stride 1, got stride ${short(stride)}: ` +
          "with a larger stride give the padding in numbers, for example from padding_for",
      );
    }
    return kernel.map((k, axis) => {
      const reach = span(k, dilation[axis]) - 1;
      if (padding === "valid") return [0, 0];
      if (padding === "same") return [Math.floor(reach / 2), Math.ceil(reach / 2)];
      if (padding === "full") return [reach, reach];
      return fail(`padding mode must be one of ${modes}, got ${show(padding)}`);
    });
  }
  if (!Array.isArray(padding)) {
    const amount = integer("padding", padding, 0);
    return kernel.map(() => [amount, amount]);
  }
  const numbers = padding.map((number) => integer("padding", number, 0));
  if (numbers.length === axes) return numbers.map((number) => [number, number]);
  if (numbers.length === 2 * axes) return kernel.map((_, axis) => numbers.slice(2 * axis, 2 * axis + 2));
  const sides = axes === 1 ? "(before, after)" : "a pair (height, width), (top, bottom, left, right)";
  return fail(`padding must be an integer, ${sides} or one of ${modes}, got ${show(padding)}`);
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

/** Count the places of the kernel along each axis. */
function settle(size, { kernel, stride, dilation }, sides, ceilMode = false) {
  return size.map((n, axis) => {
    const [k, s, d, [before, after]] = [kernel[axis], stride[axis], dilation[axis], sides[axis]];
    const steps = (before + n + after - span(k, d)) / s;
    // In ceil mode a last window that hangs over counts if it starts before the end of the input.
    const hangsOver = ceilMode && Math.ceil(steps) * s < before + n;
    const out = (hangsOver ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (out < 1) {
      fail(
        `kernel_size ${show(kernel)} with dilation ${show(dilation)} spans more cells than the padded ` +
          `input: ${span(k, d)} > ${before} + ${n} + ${after} ` +
          `(input size ${show(size)}, padding ${show(sides)})`,
      );
    }
    return { size: n, kernel: k, stride: s, before, after, dilation: d, out };
  });
}

/**
 * Check a convolution and return it axis by axis: one for a size that is a number, two for a pair.
 * @param {Size} size @param {Size} kernelSize @param {Setting} [options]
 * @returns {Axis[]}
 */
export function convAxes(size, kernelSize, { stride, padding = 0, dilation } = {}) {
  const axes = Array.isArray(size) ? 2 : 1;
  const setting = readSetting(axes, kernelSize, stride, dilation);
  const sides = readPadding(padding, setting);
  return settle(perAxis("size", size, axes, 1), setting, sides);
}

/**
 * The same for pooling.
 * @param {Size} size @param {Size} kernelSize @param {PoolSetting} [options]
 * @returns {Axis[]}
 */
export function poolAxes(size, kernelSize, { stride, padding = 0, dilation, ceilMode } = {}) {
  const axes = Array.isArray(size) ? 2 : 1;
  const setting = readSetting(axes, kernelSize, stride ?? kernelSize, dilation);
  const cells = perAxis("padding", padding, axes, 0);
  if (cells.some((amount, axis) => 2 * amount > setting.kernel[axis])) {
    fail(`padding must be at most half of kernel_size ${short(setting.kernel)}, got ${short(cells)}`);
  }
  const sides = cells.map((amount) => [amount, amount]);
  return settle(perAxis("size", size, axes, 1), setting, sides, ceilMode);
}

const outputSize = (axes) => (axes.length === 1 ? axes[0].out : axes.map((axis) => axis.out));

/** Return the size that a convolution gives: a number for a number, a pair for a pair. As convAxes. */
export const convOutputSize = (size, kernelSize, options) => outputSize(convAxes(size, kernelSize, options));

/** Return the size that pooling gives. As poolAxes. */
export const poolOutputSize = (size, kernelSize, options) => outputSize(poolAxes(size, kernelSize, options));

// ---- which input cells belong to which outputs: every one of the rows with every one of the cols ----

const range = (length) => [...Array(length).keys()];

const windowAlong = ({ kernel, stride, before, dilation }, place) =>
  range(kernel).map((u) => place * stride - before + u * dilation);

const placesOver = ({ kernel, stride, before, dilation, out }, cell) =>
  range(kernel)
    .map((u) => (cell + before - u * dilation) / stride)
    .filter((place) => Number.isInteger(place) && place >= 0 && place < out)
    .reverse();

/**
 * Return the input cells in an output cell's window. Some may lie in the padding, in ceil mode also beyond.
 * @param {number} row @param {number} col @param {Axis[]} axes from convAxes or poolAxes of a pair
 * @returns {{rows: number[], cols: number[]}}
 */
export function windowCells(row, col, [height, width]) {
  integer("row", row, 0, height.out - 1);
  integer("col", col, 0, width.out - 1);
  return { rows: windowAlong(height, row), cols: windowAlong(width, col) };
}

/**
 * Return the output cells whose windows hold a cell of the input or its padding.
 * @param {number} row @param {number} col @param {Axis[]} axes
 * @returns {{rows: number[], cols: number[]}}
 */
export function outputsFedBy(row, col, [height, width]) {
  return { rows: placesOver(height, row), cols: placesOver(width, col) };
}

/**
 * Return the rows and columns, also of the padding, that no window holds: those at the end, where the next
 * window would not fit, and those that a stride or dilation jumps over.
 * @param {Axis[]} axes
 * @returns {{rows: number[], cols: number[]}}
 */
export function droppedCells(axes) {
  const [rows, cols] = axes.map((axis) => {
    const held = [];
    for (const place of range(axis.out)) {
      for (const cell of windowAlong(axis, place)) held[cell + axis.before] = true;
    }
    const padded = range(axis.before + axis.size + axis.after);
    return padded.filter((i) => !held[i]).map((i) => i - axis.before);
  });
  return { rows, cols };
}

// ---- operators: sums in double precision, each result rounded once to single ----

function checkTensor(name, { data, shape }, form) {
  if (shape.length !== form.split(",").length) fail(`${name} must have shape ${form}, got ${show(shape)}`);
  const count = product(shape.map((size) => integer(`size of ${name}`, size, 1)));
  if (data.length === count) return;
  fail(`${name} of shape ${show(shape)} must hold ${count} numbers, got ${data.length}`);
}

/**
 * Compute every output cell from the two sides of its window, its rows and its columns. A side lists the
 * cells inside the input as [number in the window, input cell], and counts those inside the padding too.
 */
function overWindows(channels, axes, perCell, compute) {
  const shape = [channels, ...axes.map((axis) => axis.out)];
  integer("number of operations", product(shape) * perCell, 0, MAX_WORK);
  const [rows, cols] = axes.map((axis) =>
    range(axis.out).map((place) => {
      const cells = windowAlong(axis, place);
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
  checkTensor("X", X, "(C_in, H, W)");
  checkTensor("weight", weight, "(C_out, C_in / groups, k_h, k_w)");
  if (bias) checkTensor("bias", bias, "(C_out)");
  const [inChannels, h, w] = X.shape;
  const [outChannels, perGroup, kh, kw] = weight.shape;
  const given = `weight of shape ${show(weight.shape)} with groups=${groups}`;
  if (outChannels % integer("groups", groups, 1)) {
    fail(`${given}: groups must divide the number of output channels, ${outChannels}`);
  }
  if (perGroup * groups !== inChannels) {
    const needed = `${perGroup} × ${groups} = ${perGroup * groups} channels`;
    fail(`${given} needs an X with ${needed}, got ${inChannels} in X of shape ${show(X.shape)}`);
  }
  if (bias && bias.shape[0] !== outChannels) {
    fail(`bias must hold one number for each of ${outChannels} output channels, got ${bias.shape[0]}`);
  }
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

/**
 * Slide one kernel over one channel.
 * @param {Tensor} X shape [H, W] @param {Tensor} K shape [k_h, k_w] @param {Setting} [options]
 * @returns {Tensor} shape [H_out, W_out]
 */
export function corr2d(X, K, { stride, padding, dilation } = {}) {
  const image = { data: X.data, shape: [1, ...X.shape] };
  const weight = { data: K.data, shape: [1, 1, ...K.shape] };
  const { data, shape } = conv2d(image, weight, null, { stride, padding, dilation });
  return { data, shape: shape.slice(1) };
}

/** Turn the numbers in each window into one. */
function pool2d(X, kernelSize, options, combine) {
  checkTensor("X", X, "(C, H, W)");
  const [channels, h, w] = X.shape;
  const axes = poolAxes([h, w], kernelSize, options);
  return overWindows(channels, axes, axes[0].kernel * axes[1].kernel, (channel, rows, cols) => {
    const at = (row, col) => X.data[(channel * h + row) * w + col];
    const numbers = rows.inside.flatMap(([, row]) => cols.inside.map(([, col]) => at(row, col)));
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

// ---- stacks of layers, from input to output ----

/**
 * Return the part of the input that one output cell depends on: its size, how far it moves from one output
 * to the next, and the first row and column for output (0, 0). Start is null under a strided "same", whose
 * padding depends on the size of the input.
 * @param {(Setting & {kernelSize: Size})[]} layers
 * @returns {{size: number[], stride: number[], start: ?number[]}}
 */
export function receptiveField(layers) {
  const field = { size: [1, 1], stride: [1, 1], start: [0, 0] };
  for (const { kernelSize, stride, padding = 0, dilation } of layers) {
    const setting = readSetting(2, kernelSize, stride, dilation);
    const unknown = padding === "same" && Math.max(...setting.stride) > 1;
    const sides = readPadding(unknown ? 0 : padding, setting);
    if (unknown) field.start = null;
    for (const axis of [0, 1]) {
      field.size[axis] += (span(setting.kernel[axis], setting.dilation[axis]) - 1) * field.stride[axis];
      if (field.start) field.start[axis] -= sides[axis][0] * field.stride[axis];
      field.stride[axis] *= setting.stride[axis];
      const largest = Math.max(field.size[axis], field.stride[axis]);
      integer("receptive field", largest, 1, Number.MAX_SAFE_INTEGER);
    }
  }
  return field;
}

/**
 * Count the paths from an output cell to each row and each column of its receptive field. To cell (r, c)
 * there are rows[r] * cols[c]; with equal weights, the derivative is proportional to it.
 * @param {(Setting & {kernelSize: Size})[]} layers
 * @returns {{rows: number[], cols: number[]}}
 */
export function effectiveField(layers) {
  receptiveField(layers).size.forEach((size) => integer("receptive field", size, 1));
  const [rows, cols] = [0, 1].map((axis) =>
    layers.reduceRight(
      (above, { kernelSize, stride, dilation }) => {
        const setting = readSetting(2, kernelSize, stride, dilation);
        const [k, s, d] = [setting.kernel[axis], setting.stride[axis], setting.dilation[axis]];
        const below = Array((above.length - 1) * s + span(k, d)).fill(0);
        above.forEach((paths, place) => range(k).forEach((u) => (below[place * s + u * d] += paths)));
        return below;
      },
      [1],
    ),
  );
  return { rows, cols };
}

// ---- costs ----

/**
 * Count the parameters of a convolution: its weights and, if it has one, its bias.
 * @param {number} inChannels @param {number} outChannels @param {Size} kernelSize
 * @param {{groups?: number, bias?: boolean}} [options]
 * @returns {number}
 */
export function parameterCount(inChannels, outChannels, kernelSize, { groups = 1, bias = true } = {}) {
  integer("in_channels", inChannels, 1);
  integer("out_channels", outChannels, 1);
  if (inChannels % integer("groups", groups, 1) || outChannels % groups) {
    fail(`groups=${groups} must divide in_channels=${inChannels} and out_channels=${outChannels}`);
  }
  const weights = outChannels * (inChannels / groups) * product(perAxis("kernel_size", kernelSize, 2, 1));
  return weights + (bias ? outChannels : 0);
}

/**
 * Count the multiply-adds of a convolution: each weight once for each output pixel. No bias.
 * @param {number} inChannels @param {number} outChannels @param {Size} kernelSize @param {Size} outputSize
 * @param {{groups?: number}} [options]
 * @returns {number}
 */
export function macCount(inChannels, outChannels, kernelSize, outputSize, { groups } = {}) {
  const weights = parameterCount(inChannels, outChannels, kernelSize, { groups, bias: false });
  const count = weights * product(perAxis("output_size", outputSize, 2, 1));
  return integer("number of multiply-adds", count, 0, Number.MAX_SAFE_INTEGER);
}
