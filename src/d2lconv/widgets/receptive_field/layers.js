/** A table of layers: settings to type, and what follows from them. */

import { make, write } from "../shared/base.js";
import { isWrong } from "../shared/grid.js";

const SETTINGS = [
  { letter: "k", name: "kernel size", most: 7 },
  { letter: "s", name: "stride", most: 4 },
  { letter: "d", name: "dilation", most: 8 },
];

/**
 * @typedef {object} Row the cells of the input, which comes first, or those that a layer gives
 * @property {?number} n how many; null where the layer does not fit
 * @property {number} r size of their fields
 * @property {number} j jump from one field to the next
 * @property {number[]} settings kernel size, stride, dilation
 * @property {number} reach how many cells of the row below the kernel spans, its effective size
 */

/** Make an input for a setting of a layer; tell the value where it is good, and whether it is. */
function makeField(layer, { name, most }, onValue, judge) {
  const input = make("input", {
    ...{ type: "number", inputmode: "numeric", min: 1, max: most, step: 1, autocomplete: "off" },
    ...{ "aria-label": `Layer ${layer} ${name}`, "data-name": `Layer ${layer} ${name}` },
    focus: () => input.select(),
    input() {
      const value = Number(input.value);
      const isGood = Number.isInteger(value) && value >= 1 && value <= most; // an empty field counts as 0
      judge(input, !isGood);
      if (isGood) onValue(value);
    },
    keydown(event) {
      if (event.key !== "Escape") return;
      input.value = input.dataset.value;
      judge(input, false);
    },
  });
  return input;
}

/**
 * Make the table.
 * @param {function(number, number, number): void} onEdit layer, number of the setting, and value typed
 * @param {function(string): void} onProblem what is wrong with what is typed, or nothing
 * @returns {{element: Element, show: function(Row[]): void}}
 */
export function makeTable(onEdit, onProblem) {
  const body = make("tbody");
  const heads = ["layer", ...SETTINGS.map(({ letter }) => letter), "d(k−1)·j", "r", "j", "n"];
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const element = make("table", { class: "d2l-layers" }, make("thead", {}, head), body);
  let lines = [];

  /** Mark an input as wrong or right, and tell what is wrong somewhere. */
  function judge(input, wrong) {
    input.setAttribute("aria-invalid", String(wrong));
    const first = lines.flatMap(({ inputs }) => inputs).find(isWrong);
    const rule = first && `${first.dataset.name} must be a whole number from 1 to ${first.max}`;
    onProblem(first ? `${rule}; the figure still shows ${first.dataset.value}.` : "");
  }

  function makeLine(i) {
    const field = (setting, at) => makeField(i, setting, (value) => onEdit(i - 1, at, value), judge);
    const inputs = i ? SETTINGS.map(field) : [];
    const numbers = ["step", "r", "j", "n"].map((name) => make("td", { class: `d2l-${name}` }));
    const cells = i ? inputs.map((input) => make("td", {}, input)) : SETTINGS.map(() => make("td"));
    const row = make("tr", {}, make("th", { scope: "row" }, i ? String(i) : "input"), ...cells, ...numbers);
    return { row, inputs, numbers };
  }

  function showSetting(input, value) {
    if (input.dataset.value === value && isWrong(input)) return; // let the reader correct it
    if (input.dataset.value !== value) input.dataset.value = value;
    if (input.value !== value) input.value = value;
    if (isWrong(input)) judge(input, false);
  }

  function show(rows) {
    if (lines.length !== rows.length) {
      lines = rows.map((_, i) => makeLine(i));
      body.replaceChildren(...lines.map(({ row }) => row));
      onProblem("");
    }
    rows.forEach(({ n, r, j, settings, reach }, i) => {
      const { inputs, numbers } = lines[i];
      inputs.forEach((input, at) => showSetting(input, String(settings[at])));
      const step = i ? `+ ${reach - 1}·${rows[i - 1].j}` : "";
      [step, r, j, n ?? "none"].forEach((text, at) => write(numbers[at], text));
    });
  }

  return { element, show };
}
