import { USES } from "../settings.js";
import { rowsOf } from "./rows.js";

/** Mix the channels of an image by a matrix. */
USES.mixed = (matrix, [X]) => {
  const mix = (weights) => X[0].map((row, r) => row.map((_, c) => weights.reduce((sum, w, i) => sum + w * X[i][r][c], 0)));
  return rowsOf(matrix).map(mix);
};
