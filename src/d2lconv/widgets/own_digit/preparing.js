/** From a drawing to 8×8 counts, the data's own way: as preparing.py does it, in whole numbers. */

export const SIDE_DRAWN = 32; // rows and columns of a drawing
const BLOCK = 4; // rows and columns of a block in which ink is counted
const COUNTED = SIDE_DRAWN / BLOCK;
const WIDEST = 20; // columns of a digit that is brought to its size
const MOST_WIDENED = 2; // times as much as it is heightened

/** Read a drawing: a hexadecimal digit for four points. @returns {Uint8Array} 1 where there is ink */
export function readDrawing(text) {
  return Uint8Array.from({ length: SIDE_DRAWN ** 2 }, (_, i) => (parseInt(text[i >> 2] ?? "0", 16) >> (3 - (i & 3))) & 1);
}

/** Write a drawing; nothing if there is no ink. */
export function writeDrawing(points) {
  if (!points.includes(1)) return "";
  const digit = (_, i) => points.subarray(4 * i, 4 * i + 4).reduce((number, bit) => 2 * number + bit, 0).toString(16);
  return Array.from({ length: points.length / 4 }, digit).join("");
}

/** Return the first row and column with ink, and the number of both; null without ink. */
function boundsOf(points) {
  const inked = [...points.keys()].filter((i) => points[i]);
  if (!inked.length) return null;
  const rows = inked.map((i) => Math.floor(i / SIDE_DRAWN));
  const columns = inked.map((i) => i % SIDE_DRAWN);
  const [top, left] = [Math.min(...rows), Math.min(...columns)];
  return { top, left, height: Math.max(...rows) + 1 - top, width: Math.max(...columns) + 1 - left };
}

/**
 * Bring a drawing to the size of the stored digits, and into the middle. The ink becomes 32 rows high and 20 columns
 * wide, but a narrow digit is widened at most twice as much as it is heightened.
 */
export function fitDrawing(points) {
  const fitted = new Uint8Array(points.length);
  const bounds = boundsOf(points);
  if (!bounds) return fitted;
  const { top, left, height, width } = bounds;
  const wide = Math.min(WIDEST, Math.max(1, Math.floor((MOST_WIDENED * SIDE_DRAWN * width) / height)));
  const first = Math.floor((SIDE_DRAWN - wide) / 2);
  for (let r = 0; r < SIDE_DRAWN; r++) {
    const row = top + Math.floor(((2 * r + 1) * height) / (2 * SIDE_DRAWN));
    for (let c = 0; c < wide; c++) {
      const column = left + Math.floor(((2 * c + 1) * width) / (2 * wide));
      fitted[r * SIDE_DRAWN + first + c] = points[row * SIDE_DRAWN + column];
    }
  }
  return fitted;
}

/** Count the ink in each block of 4×4 points. @returns {number[]} 8×8 numbers from 0 to 16 */
export function countInk(points) {
  const counts = new Array(COUNTED ** 2).fill(0);
  points.forEach((ink, i) => {
    const [row, column] = [Math.floor(i / SIDE_DRAWN), i % SIDE_DRAWN];
    counts[Math.floor(row / BLOCK) * COUNTED + Math.floor(column / BLOCK)] += ink;
  });
  return counts;
}

/** Write counts as the course's digits are written: a letter for each, a for 0 to q for 16. */
export const writeCounts = (counts) => counts.map((count) => String.fromCharCode(97 + count)).join("");

/** Ink the points within half a pen's width of a line. @returns {Uint8Array} a new drawing */
export function inkLine(points, [row, column], [toRow, toColumn], width) {
  const [down, right] = [toRow - row, toColumn - column];
  const squared = down ** 2 + right ** 2;
  return points.map((ink, i) => {
    const [r, c] = [Math.floor(i / SIDE_DRAWN) - row, (i % SIDE_DRAWN) - column];
    const along = squared ? Math.min(Math.max((r * down + c * right) / squared, 0), 1) : 0;
    return ink || Number((r - along * down) ** 2 + (c - along * right) ** 2 <= (width / 2) ** 2);
  });
}
