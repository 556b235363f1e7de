/** A trained network as a page gets it: each weight in 8 bits. */

import { finite, listOf, record, text, whole } from "../shared/state.js";
import { PARAMETER_SHAPES } from "../lenet/lenet.js";

const ROWS = record({ shape: listOf(whole(1, 400), 1, 4), scale: listOf(finite, 1, 120), data: text });
const WEIGHTS = listOf(ROWS, PARAMETER_SHAPES.length);

/** Read all weights and biases of a network. @returns {Float64Array} */
export function readWeights(packed) {
  if (!WEIGHTS.allows(packed)) throw new RangeError(`weights must be ${WEIGHTS.text}`);
  const parts = packed.map(({ shape, scale, data }, i) => {
    const bytes = Int8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const rows = shape.length > 1 ? shape[0] : 1;
    const isRight = String(shape) === String(PARAMETER_SHAPES[i]) && scale.length === rows && bytes.length === shape.reduce((a, b) => a * b);
    if (!isRight) throw new RangeError(`weights[${i}] must be ${PARAMETER_SHAPES[i].join("×")} numbers, with a scale for each row`);
    return Float64Array.from(bytes, (byte, k) => byte * scale[Math.floor((k * rows) / bytes.length)]);
  });
  return Float64Array.from(parts.flatMap((part) => [...part]));
}
