/** Matrices as grids of cells: walked with the arrow keys, pointed at, and edited. */

import { make, parse, short } from "./base.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @typedef {object} Painting what a cell shows beside its number
 * @property {string} [marks] CSS classes
 * @property {number} [shade] from -1 to 1: how strongly its ground is coloured
 * @property {boolean} [hidden] whether the number is not shown yet
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
 * @returns {{element: Element, show: function(number[][], function(number, number): Painting): void}}
 */
export function makeGrid({ title, role, onEdit, onPoint = () => {}, onPick }) {
  const grid = make("div", { class: `d2l-grid d2l-${role}`, role: "grid" });
  const caption = make("div", { class: "d2l-caption", "aria-hidden": "true" });
  const element = make("div", { class: "d2l-matrix" }, caption, grid);
  let cells = []; // rows of the elements that take the focus
  let current = [0, 0]; // the one that Tab leads to
  let numbers = [];

  const placeOf = (target) => {
    const cell = target.closest?.("[data-place]");
    return cell && grid.contains(cell) ? cell.dataset.place.split(",").map(Number) : null;
  };

  function focusable([row, column]) {
    cells[current[0]]?.[current[1]]?.setAttribute("tabindex", "-1");
    current = [row, column];
    cells[row][column].setAttribute("tabindex", "0");
  }

  function commit(input, [row, column]) {
    const number = parse(input.value);
    const before = short(numbers[row][column]);
    if (number === null || short(number) === before) input.value = before;
    else onEdit(row, column, number);
  }

  function build(height, width) {
    cells = [];
    grid.style.setProperty("--columns", width);
    grid.setAttribute("aria-label", `${title}, ${height} rows, ${width} columns`);
    caption.textContent = `${title} ${height}×${width}`;
    grid.replaceChildren();
    for (let row = 0; row < height; row++) {
      const line = make("div", { role: "row" });
      cells.push([]);
      for (let column = 0; column < width; column++) {
        const name = `row ${row + 1}, column ${column + 1}`;
        const cell = make("div", { role: "gridcell", class: "d2l-cell", "data-place": `${row},${column}` });
        const settings = { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": `${title} ${name}` };
        if (onEdit) cell.append(make("input", settings));
        cells[row].push(onEdit ? cell.firstChild : cell);
        cells[row][column].setAttribute("tabindex", "-1");
        line.append(cell);
      }
      grid.append(line);
    }
    focusable([Math.min(current[0], height - 1), Math.min(current[1], width - 1)]);
  }

  const listeners = {
    pointerover: (event) => event.pointerType !== "touch" && onPoint(...(placeOf(event.target) ?? [null, null])),
    pointerleave: () => onPoint(null, null),
    focusin(event) {
      const place = placeOf(event.target);
      focusable(place);
      event.target.select?.();
      (onPick ?? onPoint)(...place);
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
        event.target.value = short(numbers[row][column]);
        event.target.select();
      }
    },
  };
  for (const [name, listener] of Object.entries(listeners)) grid.addEventListener(name, listener);

  function show(values, paint) {
    numbers = values;
    if (cells.length !== values.length || cells[0].length !== values[0].length) build(values.length, values[0].length);
    values.forEach((line, row) =>
      line.forEach((number, column) => {
        const { marks = "", shade = null, hidden = false } = paint(row, column);
        const target = cells[row][column];
        const cell = onEdit ? target.parentNode : target;
        const text = hidden ? "" : short(number);
        cell.className = `d2l-cell ${marks} ${shade === null ? "" : shade < 0 ? "d2l-shade d2l-below" : "d2l-shade"}`;
        cell.style.setProperty("--shade", `${Math.round(Math.abs(shade ?? 0) * 45)}%`);
        cell.classList.toggle("d2l-long", text.length > 3);
        if (!onEdit) {
          cell.textContent = text;
          cell.setAttribute("aria-label", `row ${row + 1}, column ${column + 1}: ${text || "not computed yet"}`);
        } else if (target.defaultValue !== text) {
          target.value = target.defaultValue = text; // leaves alone what somebody is typing meanwhile
        }
      }),
    );
  }

  return { element, show };
}
