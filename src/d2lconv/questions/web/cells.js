/** The cells of a kernel or matrix of 3×3 numbers, or of three, as inputs; an empty one is zero. */
import { fill } from "./fill.js";
import { FIELDS, readEach } from "./forms.js";
import { make } from "./make.js";

FIELDS.grid = ({ fields: { grid } }) => {
  const slices = grid.length === 3 ? WORDS.colours : [""];
  const names = slices.flatMap(() => Array.from({ length: 9 }, (_, n) => fill(WORDS.cell, { row: Math.floor(n / 3), column: n % 3 })));
  const all = names.map((name, n) => {
    const label = `${slices[Math.floor(n / 9)]} ${name}`.trim();
    return make("input", { inputmode: "decimal", placeholder: "0", "aria-label": label, autocomplete: "off" });
  });
  const boxes = slices.map((slice, i) => {
    const box = make("div", { class: "d2l-cells" }, ...all.slice(9 * i, 9 * i + 9));
    return slice ? make("fieldset", {}, make("legend", {}, slice), box) : box;
  });
  const read = (readNumbers) => {
    const found = readEach(all, names, readNumbers);
    return found.data ? { ...found, shape: grid } : found;
  };
  return [boxes, all, read];
};
