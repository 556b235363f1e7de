/** Matrices as grids of cells: walked with the arrow keys, pointed at, and edited. */

import { cellName, dress, make, marked, parse, same, short, write } from "./base.js";

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
 * @property {string} [text] shown instead of the number
 * @property {string} [label] read out instead of the cell's own name
 * @property {boolean} [fixed] whether an editable cell cannot be edited
 */

export class Grid {
  #title;
  #handlers;
  #grid;
  #caption = make("div", { class: "d2l-caption", "aria-hidden": "true" });
  #cells = []; // rows of the elements that take the focus
  #current = [0, 0]; // the one that Tab leads to
  #shown = []; // the texts

  /**
   * @param {object} options
   * @param {string} options.title shown above the grid
   * @param {"input"|"kernel"|"output"} options.role which decides the colour
   * @param {function(number[], number): void} [options.onEdit] cell [row, column], and number typed
   * @param {function(?number[]): void} [options.onPoint] a cell pointed at, or null
   * @param {function(number[]): void} [options.onPick] a cell clicked or reached with the keyboard; without it,
   *   the cell in focus counts as pointed at
   */
  constructor({ title, role, onEdit, onPoint = () => {}, onPick }) {
    this.#title = title;
    this.#handlers = { onEdit, onPoint, onPick };
    this.#grid = make("div", { class: `d2l-grid d2l-${role}`, role: "grid" });
    this.element = make("div", { class: "d2l-matrix" }, this.#caption, this.#grid);
    this.#listen();
  }

  /** Name the grid: what stands above it, and what a screen reader says. */
  name(text, label) {
    write(this.#caption, text);
    if (label) dress(this.#grid, { "aria-label": label });
  }

  /**
   * Show numbers.
   * @param {number[][]} numbers
   * @param {function(number, number): Painting} paint
   * @param {number[]} [leading] the cell that Tab leads to
   */
  show(numbers, paint, leading) {
    const [height, width] = [numbers.length, numbers[0].length];
    if (this.#cells.length !== height || this.#cells[0].length !== width) this.#build(height, width);
    const draw = (number, row, column) => this.#draw(this.#cells[row][column], number, row, column, paint(row, column));
    this.#shown = numbers.map((line, row) => line.map((number, column) => draw(number, row, column)));
    if (leading) this.#lead(leading);
  }

  #build(height, width) {
    const editable = Boolean(this.#handlers.onEdit);
    const makeCell = (row, column) => {
      const cell = make("div", { role: "gridcell", class: "d2l-cell", "data-cell": `${row},${column}` });
      if (editable) cell.append(make("input", { type: "text", inputmode: "decimal", autocomplete: "off" }));
      (editable ? cell.firstChild : cell).setAttribute("tabindex", "-1");
      return cell;
    };
    this.#grid.style.setProperty("--columns", width);
    this.name(`${this.#title} ${height}×${width}`, `${this.#title}, ${height} rows, ${width} columns`);
    resize(this.#grid, height, () => make("div", { role: "row" }));
    this.#cells = [...this.#grid.children].map((line, row) => {
      resize(line, width, (column) => makeCell(row, column));
      return [...line.children].map((cell) => (editable ? cell.firstChild : cell));
    });
    this.#lead([Math.min(this.#current[0], height - 1), Math.min(this.#current[1], width - 1)]);
  }

  /** Make Tab lead to a cell. */
  #lead([row, column]) {
    const [before, now] = [this.#cells[this.#current[0]]?.[this.#current[1]], this.#cells[row][column]];
    this.#current = [row, column];
    if (now.tabIndex === 0) return;
    before?.setAttribute("tabindex", "-1");
    now.setAttribute("tabindex", "0");
  }

  /** Draw a cell, and return its text. */
  #draw(target, number, row, column, { marks = "", shade = null, hidden = false, fixed = false, text, label }) {
    const shown = text ?? (hidden ? "" : short(number));
    const signs = [marks, shade !== null && "d2l-shade", shade < 0 && "d2l-below", shown.length > 3 && "d2l-long"];
    const look = {
      class: marked("d2l-cell", ...signs),
      "--shade": shade !== null && `${Math.round(Math.abs(shade) * 45)}%`,
    };
    if (!this.#handlers.onEdit) {
      dress(target, { ...look, "aria-label": label ?? `${cellName(row, column)}: ${shown || "not computed yet"}` });
      write(target, shown);
      return shown;
    }
    dress(target.parentNode, look);
    dress(target, { "aria-label": label ?? `${this.#title} ${cellName(row, column)}`, readonly: fixed && "" });
    if (target.defaultValue !== shown) target.value = target.defaultValue = shown; // leaves alone what is being typed
    return shown;
  }

  #cellAt(target) {
    const cell = target.closest?.("[data-cell]");
    return cell && this.#grid.contains(cell) ? cell.dataset.cell.split(",").map(Number) : null;
  }

  #commit(input) {
    const [row, column] = this.#cellAt(input);
    const before = this.#shown[row][column];
    const number = parse(input.value);
    if (input.readOnly || number === null || short(number) === before) input.value = before;
    else this.#handlers.onEdit([row, column], number);
  }

  #listen() {
    const { onEdit, onPoint, onPick } = this.#handlers;
    const listeners = {
      pointerover: (event) => event.pointerType !== "touch" && onPoint(this.#cellAt(event.target)),
      pointerleave: () => onPoint(null),
      focusin: (event) => {
        const cell = this.#cellAt(event.target);
        const isNew = !same(cell, this.#current); // Tab leads to the cell that is picked already
        this.#lead(cell);
        event.target.select?.();
        if (!onPick) onPoint(cell);
        else if (isNew) onPick(cell);
      },
      focusout: () => onPoint(null),
      click: (event) => onPick && this.#cellAt(event.target) && onPick(this.#cellAt(event.target)),
      keydown: (event) => this.#press(event),
    };
    if (onEdit) listeners.change = (event) => this.#commit(event.target);
    for (const [name, listener] of Object.entries(listeners)) this.#grid.addEventListener(name, listener);
  }

  #press(event) {
    const [row, column] = this.#cellAt(event.target);
    const [down, right] = MOVES[event.key] ?? [0, 0];
    if (event.key in MOVES) {
      event.preventDefault();
      this.#cells[row + down]?.[column + right]?.focus();
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      this.#cells[row].at(event.key === "Home" ? 0 : -1).focus();
    } else if (this.#handlers.onEdit && event.key === "Enter") {
      this.#commit(event.target);
      event.target.select();
    } else if (this.#handlers.onEdit && event.key === "Escape") {
      event.target.value = this.#shown[row][column];
      event.target.select();
    }
  }
}
