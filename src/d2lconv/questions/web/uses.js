/** What the settings of exercises do with a case; d2lconv.questions.web says which exercise has which. */

/** Cross-correlate channels with a kernel of as many slices. @returns {number[][]} */
function correlate(channels, kernel) {
  const [rows, columns] = [channels[0].length - kernel[0].length + 1, channels[0][0].length - kernel[0][0].length + 1];
  const cell = (r, c) => {
    let sum = 0;
    kernel.forEach((slice, i) => slice.forEach((line, u) => line.forEach((weight, v) => (sum += weight * channels[i][r + u][c + v]))));
    return sum;
  };
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => cell(r, c)));
}

/** Give rows of a given length back their rows. */
function rowsOf({ shape, data }) {
  const [length] = shape.slice(-1);
  return Array.from({ length: data.length / length }, (_, r) => data.slice(r * length, (r + 1) * length));
}

/** By name; each gets a setting, the arguments of a case and the rule. */
export const USES = {
  /** Cross-correlate an image within a border of zeros. */
  padded(kernel, [X]) {
    const zeros = Array(X[0].length + 2).fill(0);
    return correlate([[zeros, ...X.map((row) => [0, ...row, 0]), zeros]], [rowsOf(kernel)]);
  },

  /** Mix the channels of an image by a matrix. */
  mixed(matrix, [X]) {
    const mix = (weights) => X[0].map((row, r) => row.map((_, c) => weights.reduce((sum, w, i) => sum + w * X[i][r][c], 0)));
    return rowsOf(matrix).map(mix);
  },

  /** Tell whether a kernel of three slices responds to a picture, which is painted by two colours. */
  responds(kernel, [name], { pictures }) {
    const [first, second, isAbove] = pictures[name];
    const colour = (r, c) => ((isAbove ? r : c) < 3 ? first : second);
    const image = [0, 1, 2].map((i) => Array.from({ length: 6 }, (_, r) => Array.from({ length: 6 }, (_, c) => colour(r, c)[i])));
    const rows = rowsOf(kernel);
    const found = correlate(image, [0, 3, 6].map((start) => rows.slice(start, start + 3)));
    return Number(found.flat().some((value) => Math.abs(value) > 1e-4));
  },

  /** Return the output size of a layer. */
  size({ data: [kernel, stride, padding] }, [n]) {
    const room = n + 2 * padding;
    if (kernel > room) {
      throw new RangeError(
        `RuntimeError: Calculated padded input size per channel: (${room}). Kernel size: (${kernel}). ` +
          "Kernel size can't be greater than actual input size",
      );
    }
    return Math.floor((room - kernel) / stride) + 1;
  },

  /** Count the paths from an input cell to output cell 0. */
  paths({ data }, [cell]) {
    const reached = data.reduce((below, dilation) => below.flatMap((at) => [0, 1, 2].map((step) => at + step * dilation)), [0]);
    return reached.filter((at) => at === cell).length;
  },
};
