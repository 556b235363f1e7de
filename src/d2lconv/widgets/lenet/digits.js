/** The digits: unpacked, and enlarged as d2lconv.data.load_digits enlarges them, to the bit. */

const STORED = 8; // rows and columns of a stored digit
const ENLARGED = 28;
const LARGEST_PIXEL = 16;

/** For each row or column of an enlarged digit, the two stored ones that it lies between, and their weights. */
const BETWEEN = Array.from({ length: ENLARGED }, (_, i) => {
  const centre = Math.min(Math.max(((i + 0.5) * STORED) / ENLARGED - 0.5, 0), STORED - 1);
  const [low, weight] = [Math.floor(centre), Math.fround(centre - Math.floor(centre))];
  return { low, high: Math.min(low + 1, STORED - 1), lowWeight: Math.fround(1 - weight), highWeight: weight };
});

/** Write a letter for each pixel where a capital stands for a run of zeros: B for two, Z for 26. */
export const spellOut = (text) => text.replace(/[B-Z]/g, (capital) => "a".repeat(capital.charCodeAt(0) - 64));

/**
 * Read digits: a letter for each pixel, a for 0 to q for 16, or a capital for a run of zeros.
 * @returns {Float64Array[]} 64 numbers for each digit
 */
export function readDigits(text) {
  const pixels = Float64Array.from(spellOut(text), (letter) => (letter.charCodeAt(0) - 97) / LARGEST_PIXEL);
  return Array.from({ length: pixels.length / STORED ** 2 }, (_, n) => pixels.subarray(n * STORED ** 2, (n + 1) * STORED ** 2));
}

/** Enlarge a digit bilinearly from 8×8 to 28×28 pixels. */
export function enlarge(digit) {
  const enlarged = new Float64Array(ENLARGED ** 2);
  const row = new Float64Array(STORED); // between two stored ones
  for (let r = 0, p = 0; r < ENLARGED; r++) {
    const { low, high, lowWeight, highWeight } = BETWEEN[r];
    for (let c = 0; c < STORED; c++) row[c] = blend(digit[low * STORED + c], lowWeight, digit[high * STORED + c], highWeight);
    for (const { low, high, lowWeight, highWeight } of BETWEEN) enlarged[p++] = blend(row[low], lowWeight, row[high], highWeight);
  }
  return enlarged;
}

/** Add two numbers with their weights, in 32 bits. */
function blend(a, aWeight, b, bWeight) {
  return Math.fround(Math.fround(a * aWeight) + Math.fround(b * bWeight));
}
