import { USES } from "../settings.js";
import { correlate } from "./correlate.js";
import { rowsOf } from "./rows.js";

/** Cross-correlate an image within a border of zeros. */
USES.padded = (kernel, [X]) => {
  const zeros = Array(X[0].length + 2).fill(0);
  return correlate([[zeros, ...X.map((row) => [0, ...row, 0]), zeros]], [rowsOf(kernel)]);
};
