/** Cross-correlate channels with a kernel of as many slices. @returns {number[][]} */
export function correlate(channels, kernel) {
  const [rows, columns] = [channels[0].length - kernel[0].length + 1, channels[0][0].length - kernel[0][0].length + 1];
  const cell = (r, c) => {
    let sum = 0;
    kernel.forEach((slice, i) => slice.forEach((line, u) => line.forEach((weight, v) => (sum += weight * channels[i][r + u][c + v]))));
    return sum;
  };
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => cell(r, c)));
}
