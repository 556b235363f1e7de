/** Matrices as grids of cells: walked with the arrow keys, pointed at, and edited. */

import { dress, make, marked, parse, placeName, same, short, write } from "./base.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Give an element a number of children; those that it has stay. */
function resize(element, count, makeChild) {
  while (element.children.length > count) element.lastChild.remove();
  while (element.children.length < count) element.append(makeChild(element.children.length));
}

/**
 * @typedef {object} Painting what a cell shows beside its number
 * @property {string} [marks] CSS classes
 * @property {number} [shade] from -1 to 1: how strongly its ground is coloured
 * @property {boolean} [hidden] whether the number is not shown yet
 * @property {string} [text] shown in the place of the number
 * @property {string} [label] read out in the place of the cell's own name
 * @property {boolean} [fixed] whether an editable cell cannot be edited
 */

/**
 * Make a grid.
 * @param {object} options
 * @param {string} options.title shown above the grid
 * @param {"input"|"kernel"|"output"} options.role which decides the colour
 * @param {function(number, number, number): void} [options.onEdit] row, column and number typed
 * @param {function(?number, ?number): void} [options.onPoint] a cell pointed at, or null
 * @param {function(number, number): void} [options.onPick] a cell clicked or reached with the keyboard;
 *   without it, the cell in focus counts as pointed at
 * @returns {{element: Element, name: function(string, string=): void,
 *   show: function(number[][], function(number, number): Painting, number[]=): void}} names the grid above it and
 *   for screen readers; shows numbers, and makes Tab lead to a cell
 */
export function makeGrid({ title, role, onEdit, onPoint = () => {}, onPick }) {
  const grid = make("div", { class: `d2l-grid d2l-${role}`, role: "grid" });
  const caption = make("div", { class: "d2l-caption", "aria-hidden": "true" });
  const element = make("div", { class: "d2l-matrix" }, caption, grid);
  let cells = []; // rows of the elements that take the focus
  let current = [0, 0]; // the one that Tab leads to
  let numbers = [];
  let shown = []; // the texts

  const placeOf = (target) => {
    const cell = target.closest?.("[data-place]");
    return cell && grid.contains(cell) ? cell.dataset.place.split(",").map(Number) : null;
  };

  function focusable([row, column]) {
    const [before, now] = [cells[current[0]]?.[current[1]], cells[row][column]];
    current = [row, column];
    if (now.tabIndex === 0) return;
    before?.setAttribute("tabindex", "-1");
    now.setAttribute("tabindex", "0");
  }

  function commit(input, [row, column]) {
    const number = parse(input.value);
    const before = shown[row][column];
    if (input.readOnly || number === null || short(number) === before) input.value = before;
    else onEdit(row, column, number);
  }

  function makeCell(row, column) {
    const cell = make("div", { role: "gridcell", class: "d2l-cell", "data-place": `${row},${column}` });
    if (onEdit) cell.append(make("input", { type: "text", inputmode: "decimal", autocomplete: "off" }));
    (onEdit ? cell.firstChild : cell).setAttribute("tabindex", "-1");
    return cell;
  }

  function build(height, width) {
    grid.style.setProperty("--columns", width);
    name(`${title} ${height}×${width}`, `${title}, ${height} rows, ${width} columns`);
    resize(grid, height, () => make("div", { role: "row" }));
    cells = [...grid.children].map((line, row) => {
      resize(line, width, (column) => makeCell(row, column));
      return [...line.children].map((cell) => (onEdit ? cell.firstChild : cell));
    });
    focusable([Math.min(current[0], height - 1), Math.min(current[1], width - 1)]);
  }

  const listeners = {
    pointerover: (event) => event.pointerType !== "touch" && onPoint(...(placeOf(event.target) ?? [null, null])),
    pointerleave: () => onPoint(null, null),
    focusin(event) {
      const place = placeOf(event.target);
      const isNew = !same(place, current); // Tab leads to the cell that is picked already
      focusable(place);
      event.target.select?.();
      if (!onPick) onPoint(...place);
      else if (isNew) onPick(...place);
    },
    focusout: () => onPoint(null, null),
    click: (event) => onPick && placeOf(event.target) && onPick(...placeOf(event.target)),
    change: (event) => commit(event.target, placeOf(event.target)),
    keydown(event) {
      const [row, column] = placeOf(event.target);
      const [down, right] = MOVES[event.key] ?? [0, 0];
      const next = cells[row + down]?.[column + right];
      if (event.key in MOVES) {
        event.preventDefault();
        next?.focus();
      } else if (event.key === "Home" || event.key === "End") {
        event.preventDefault();
        cells[row].at(event.key === "Home" ? 0 : -1).focus();
      } else if (onEdit && event.key === "Enter") {
        commit(event.target, [row, column]);
        event.target.select();
      } else if (onEdit && event.key === "Escape") {
        event.target.value = shown[row][column];
        event.target.select();
      }
    },
  };
  for (const [name, listener] of Object.entries(listeners)) grid.addEventListener(name, listener);

  function name(text, label) {
    write(caption, text);
    if (label) dress(grid, { "aria-label": label });
  }

  function show(values, paint, leading) {
    if (cells.length !== values.length || cells[0].length !== values[0].length) build(values.length, values[0].length);
    numbers = values;
    shown = values.map((line, row) => line.map((number, column) => draw(row, column, paint(row, column))));
    if (leading) focusable(leading);
  }

  /** Draw a cell, and return its text. */
  function draw(row, column, { marks = "", shade = null, hidden = false, fixed = false, ...own }) {
    const target = cells[row][column];
    const text = own.text ?? (hidden ? "" : short(numbers[row][column]));
    const signs = [marks, shade !== null && "d2l-shade", shade < 0 && "d2l-below", text.length > 3 && "d2l-long"];
    dress(onEdit ? target.parentNode : target, {
      class: marked("d2l-cell", ...signs),
      "--shade": shade !== null && `${Math.round(Math.abs(shade) * 45)}%`,
      ...(onEdit ? {} : { "aria-label": own.label ?? `${placeName(row, column)}: ${text || "not computed yet"}` }),
    });
    if (!onEdit) write(target, text);
    else {
      dress(target, { "aria-label": own.label ?? `${title} ${placeName(row, column)}`, readonly: fixed && "" });
      if (target.defaultValue !== text) target.value = target.defaultValue = text; // leaves alone what is being typed
    }
    return text;
  }

  return { element, name, show };
}
