/** Packed digits, as a saved state holds them: which can be anything. */

import { record, text } from "../shared/state.js";

const PACKED = record({ pixels: text, labels: text });
const DIGITS = record({ train: PACKED, valid: PACKED });

/** Check packed digits, which a saved state can hold in any form. @returns {{pixels: string, labels: string}} the same */
export function checkDigits(name, value) {
  const isRight = PACKED.allows(value) && /^[a-q]+$/.test(value.pixels) && /^\d+$/.test(value.labels) && value.pixels.length === 64 * value.labels.length;
  if (!isRight) throw new RangeError(`${name} must have a label for every 64 pixels, each a letter from a to q`);
  return value;
}

/** Check both parts of the course's digits. */
export function checkCourse(digits) {
  if (!DIGITS.allows(digits)) throw new RangeError(`digits must be ${DIGITS.text}`);
  for (const name of ["train", "valid"]) checkDigits(`digits.${name}`, digits[name]);
  return digits;
}
