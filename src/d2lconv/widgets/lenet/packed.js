/** Packed digits, as a saved state holds them: which can be anything. */

import { record, text } from "../shared/state.js";
import { spellOut } from "./digits.js";

const PACKED = record({ pixels: text, labels: text });
const DIGITS = record({ train: PACKED, valid: PACKED });

/** Unpack digits, which a saved state can hold in any form. @returns {{pixels: string, labels: string}} a letter a pixel */
export function unpackDigits(name, value) {
  const pixels = PACKED.allows(value) ? spellOut(value.pixels) : "";
  const isRight = /^[a-q]+$/.test(pixels) && /^\d+$/.test(value.labels) && pixels.length === 64 * value.labels.length;
  if (!isRight) throw new RangeError(`${name} must have a label for every 64 pixels, each a letter from a to q`);
  return { pixels, labels: value.labels };
}

/** Unpack both parts of the course's digits. */
export function unpackCourse(digits) {
  if (!DIGITS.allows(digits)) throw new RangeError(`digits must be ${DIGITS.text}`);
  return { train: unpackDigits("digits.train", digits.train), valid: unpackDigits("digits.valid", digits.valid) };
}
