/** Matrices as grids of cells: walked with the arrow keys, pointed at, and edited. */

import { brief, cellName, dress, HIGHEST, make, marked, parse, same, short, write } from "./base.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Give an element a number of children; those that it has stay. */
function resize(element, count, makeChild) {
  while (element.children.length > count) element.lastChild.remove();
  while (element.children.length < count) element.append(makeChild(element.children.length));
}

/** Tell whether what stands in an input is marked as wrong. */
export const isWrong = (input) => input.getAttribute("aria-invalid") === "true";

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
  #window = make("div", { class: "d2l-slider", "aria-hidden": "true", hidden: true });
  #complaint = make("div", { class: "d2l-complaint", role: "alert", hidden: true });
  #cells = []; // rows of the elements that take the focus
  #current = [0, 0]; // the one that Tab leads to
  #numbers = [];

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
    this.element = make("div", { class: "d2l-matrix" }, this.#caption, this.#grid, this.#complaint);
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
    numbers.forEach((line, row) => line.forEach((number, column) => draw(number, row, column)));
    this.#numbers = numbers;
    if (leading) this.#lead(leading);
  }

  /** Lay a frame around a window, which slides there; without a window, take it away. */
  frame(window) {
    this.#window.hidden = !window;
    if (!window) return;
    const { rows, cols } = window;
    const place = { row: rows[0], column: cols[0], high: rows.at(-1) - rows[0] + 1, wide: cols.at(-1) - cols[0] + 1 };
    const hasGaps = place.high > rows.length || place.wide > cols.length; // then its cells are framed too
    this.#grid.classList.toggle("d2l-framed", !hasGaps);
    for (const [name, value] of Object.entries(place)) this.#window.style.setProperty(`--${name}`, value);
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
    this.#window.remove();
    resize(this.#grid, height, () => make("div", { role: "row" }));
    this.#complain(null);
    this.#cells = [...this.#grid.children].map((line, row) => {
      resize(line, width, (column) => makeCell(row, column));
      return [...line.children].map((cell) => (editable ? cell.firstChild : cell));
    });
    this.#grid.append(this.#window);
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

  #draw(target, number, row, column, { marks = "", shade = null, hidden = false, fixed = false, text, label }) {
    const whole = text ?? (hidden ? "" : short(number));
    const shown = text ?? (hidden ? "" : brief(number));
    const long = shown.length > 3 && (shown.length > 4 ? "d2l-longer" : "d2l-long");
    const look = {
      class: marked("d2l-cell", marks, shade !== null && "d2l-shade", shade < 0 && "d2l-below", long),
      "--shade": shade !== null && `${Math.round(Math.abs(shade) * 45)}%`,
    };
    if (!this.#handlers.onEdit) {
      dress(target, { ...look, "aria-label": label ?? `${cellName(row, column)}: ${whole || "not computed yet"}` });
      write(target, shown);
      return;
    }
    dress(target.parentNode, look);
    dress(target, { "aria-label": label ?? `${this.#title} ${cellName(row, column)}`, readonly: fixed && "" });
    const isSame = this.#numbers[row]?.[column] === number;
    const isTyping = target === document.activeElement; // then it is left alone, and so is what has to be corrected
    if (isTyping ? isSame || parse(target.value) === number : isSame && isWrong(target)) return;
    if (target.value !== shown) this.#settle(target, isTyping ? short(number) : shown);
  }

  /** Show a number that is right in a cell that can be edited. */
  #settle(input, text) {
    input.value = text;
    input.setAttribute("aria-invalid", "false");
    if (this.#complaint.dataset.at === input.parentNode.dataset.cell) this.#complain(null);
  }

  /** Say what is wrong with what was typed into a cell, beside the grid; or nothing. */
  #complain(input) {
    this.#complaint.hidden = !input;
    this.#complaint.dataset.at = input ? input.parentNode.dataset.cell : "";
    if (!input) return;
    const [row, column] = this.#cellAt(input);
    const wrong = input.value.trim() ? `“${input.value.trim().slice(0, 12)}” is not` : "An empty cell is not";
    const rule = `a number from −${HIGHEST.toLocaleString("en")} to ${HIGHEST.toLocaleString("en")}`;
    write(this.#complaint, `${wrong} ${rule}; the figure still uses ${short(this.#numbers[row][column])}.`);
  }

  #cellAt(target) {
    const cell = target.closest?.("[data-cell]");
    return cell && this.#grid.contains(cell) ? cell.dataset.cell.split(",").map(Number) : null;
  }

  /** Take what is typed, at each key; what is no number is marked, explained, and left to be corrected. */
  #edit(input) {
    const [row, column] = this.#cellAt(input);
    const number = parse(input.value);
    if (input.readOnly) return;
    input.setAttribute("aria-invalid", String(number === null));
    if (number === null) this.#complain(input);
    else {
      if (this.#complaint.dataset.at === input.parentNode.dataset.cell) this.#complain(null);
      if (number !== this.#numbers[row][column]) this.#handlers.onEdit([row, column], number);
    }
  }

  /** Write the number of a cell as usual again, unless it is wrong. */
  #tidy(input) {
    const [row, column] = this.#cellAt(input);
    if (!input.readOnly && !isWrong(input)) input.value = brief(this.#numbers[row][column]);
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
        if (onEdit) this.#open(event.target, cell);
        if (!onPick) onPoint(cell);
        else if (isNew) onPick(cell);
      },
      focusout: (event) => {
        if (onEdit) this.#tidy(event.target);
        onPoint(null);
      },
      click: (event) => onPick && this.#cellAt(event.target) && onPick(this.#cellAt(event.target)),
      keydown: (event) => this.#press(event),
    };
    if (onEdit) listeners.input = (event) => this.#edit(event.target);
    for (const [name, listener] of Object.entries(listeners)) this.#grid.addEventListener(name, listener);
  }

  /** Show the whole number of a cell that takes the focus. */
  #open(input, [row, column]) {
    if (!input.readOnly && !isWrong(input)) input.value = short(this.#numbers[row][column]);
    input.select();
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
    } else if (this.#handlers.onEdit && !event.target.readOnly && (event.key === "Enter" || event.key === "Escape")) {
      if (event.key === "Escape") this.#settle(event.target, short(this.#numbers[row][column]));
      event.target.select();
    }
  }
}
