import { USES } from "../settings.js";
import { correlate } from "./correlate.js";
import { rowsOf } from "./rows.js";

/** Tell whether a kernel of three slices responds to a picture, which is painted by two colours. */
USES.responds = (kernel, [name], { pictures }) => {
  const [first, second, isAbove] = pictures[name];
  const colour = (r, c) => ((isAbove ? r : c) < 3 ? first : second);
  const image = [0, 1, 2].map((i) => Array.from({ length: 6 }, (_, r) => Array.from({ length: 6 }, (_, c) => colour(r, c)[i])));
  const rows = rowsOf(kernel);
  const found = correlate(image, [0, 3, 6].map((start) => rows.slice(start, start + 3)));
  return Number(found.flat().some((value) => Math.abs(value) > 1e-4));
};
