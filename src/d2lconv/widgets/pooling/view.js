/** The view of pooling_explorer: the maximum or mean of each window, and what a shift of the input changes. */

import { avgPool2d, holds, maxPool2d, outputsFedBy, poolAxes, range, toRows, toTensor, windowCells } from "../shared/geometry.js";
import { cellName, change, changeNumber, counted, fill, largest, make, makePointer, makeVoice } from "../shared/base.js";
import { marked, number, same, short, sign, watch, write } from "../shared/base.js";
import { Grid } from "../shared/grid.js";
import { flag, listOf, matrix, readState, whole } from "../shared/state.js";

const STATE = {
  input: matrix(8),
  mode_index: whole(0, 1),
  kernel_size: whole(1, 9),
  stride: whole(1, 4),
  padding: whole(0, 2),
  ceil_mode: flag,
  shift: whole(-2, 2),
  cell: listOf(whole(0, 15), 2),
};
const SHADED = 6; // an input with more columns is shown as a picture
const KINDS = { padding: "Padding cell", over: "Beyond the end" };

/** Move the columns of a matrix to the right; zeros come in. */
const moveRight = (X, by) => X.map((line) => line.map((_, column) => line[column - by] ?? 0));

/** Tell whether two numbers differ by more than the rounding of a mean. */
const differ = (a, b) => Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

/** For each cell of two matrices, tell whether they differ there. */
const changesBetween = (X, Y) => X.map((line, row) => line.map((value, column) => differ(value, Y[row][column])));

/** Write how many of some flags are set. */
const countChanged = (flags, what) => `${flags.flat().filter(Boolean).length} of ${flags.flat().length} ${what} changed`;

// ---- from the state to what is shown ----

/**
 * Lay out the cells that windows can see, row by row.
 * @param {number[][]} X
 * @param {?Axis[]} axes null if the settings are impossible: then there is no padding
 * @param {number} nothing what the padding counts for
 * @returns {{kind: "input"|"padding"|"over", row: number, column: number, value: number}[][]} row and column are
 *   counted in the input; what lies over the end counts for nothing
 */
function layOutCells(X, axes, nothing) {
  const bare = (size) => ({ size, before: 0, after: 0, out: 1, stride: 1, kernel: 1 });
  const sides = axes ?? [X.length, X[0].length].map(bare);
  const [rows, columns] = sides.map(({ size, before, after, out, stride, kernel }) =>
    range(Math.max(before + size + after, (out - 1) * stride + kernel)).map((index) => {
      const at = index - before;
      return { at, kind: at >= size + after ? "over" : at < 0 || at >= size ? "padding" : "input" };
    }),
  );
  return rows.map((r) =>
    columns.map((c) => {
      const kind = ["over", "padding"].find((one) => r.kind === one || c.kind === one) ?? "input";
      const value = kind === "input" ? X[r.at][c.at] : kind === "padding" ? nothing : NaN;
      return { kind, row: r.at, column: c.at, value };
    }),
  );
}

/** Lay out the input; say why where the settings are impossible. */
function computeInput(state) {
  const { input, shift, kernel_size: kernel, stride, padding, ceil_mode: ceilMode } = state;
  const X = moveRight(input, shift);
  const isAverage = state.mode_index === 1;
  const options = { stride, padding, ceilMode };
  let [axes, problem] = [null, ""];
  try {
    axes = poolAxes([X.length, X[0].length], kernel, options);
  } catch (error) {
    problem = `Not possible: ${error.message}.`;
  }
  const cells = layOutCells(X, axes, isAverage ? 0 : -Infinity);
  const isShaded = X[0].length > SHADED;
  return { X, before: input, shift, isAverage, kernel, options, axes, problem, cells, isShaded, news: changesBetween(X, input) };
}

/** Pool, and look at the window of one cell. */
function computeOutput({ X, before, isAverage, kernel, options, axes, cells, ...shown }, pinnedCell, at) {
  const pool = (rows) => toRows((isAverage ? avgPool2d : maxPool2d)(toTensor([rows]), kernel, options))[0];
  const [Y, Y0] = [X, before].map(pool);
  const pinned = pinnedCell.map((index, axis) => Math.min(index, axes[axis].out - 1));
  const cell = at?.cell?.every((index, axis) => index < axes[axis].out) ? at.cell : pinned;
  const seen = windowCells(...cell, axes);
  const window = cells.flat().filter(({ kind, row, column }) => kind !== "over" && holds(seen, row, column));
  const top = Math.max(...window.map(({ value }) => value));
  const best = isAverage ? null : window.find(({ value }) => value === top);
  const source = at?.source;
  const fed = source && outputsFedBy(source.row, source.column, axes);
  return { ...shown, isAverage, Y, Y0, pinned, cell, seen, window, best, source, fed, differences: changesBetween(Y, Y0) };
}

// ---- layout ----

function layOut(root, { edit, pointInput, pointOutput, pick }) {
  const input = new Grid({ title: "Input", role: "input", onEdit: edit, onPoint: pointInput });
  const output = new Grid({ title: "Output", role: "output", onPoint: pointOutput, onPick: pick });
  const result = make("div", { class: "d2l-row d2l-pair" }, sign("→"), output.element);
  const grids = make("div", { class: "d2l-row" }, input.element, result);
  const counts = make("p", { class: "d2l-counted" });
  const note = make("p", { class: "d2l-note" });
  const formula = make("p", { class: "d2l-formula" });
  const problem = make("p", { class: "d2l-impossible" });
  root.append(problem, grids, counts, note, formula);
  return { input, output, result, grids, counts, note, formula, problem };
}

// ---- draw ----

function drawInput({ input, grids }, { X, cells, shift, news, isShaded }, { isHere, best }) {
  const [height, width, pad] = [X.length, X[0].length, -cells[0][0].row];
  const brightest = largest(X);
  grids.classList.toggle("d2l-dense", isShaded);
  const paint = (r, c) => {
    const cell = cells[r][c];
    const isOwn = cell.kind === "input";
    const isNew = isOwn && news[cell.row][cell.column];
    const from = cell.column - shift;
    const marks = [isHere(cell) && "d2l-here", isOwn ? isNew && "d2l-changed" : `d2l-${cell.kind}`, cell === best && "d2l-best"];
    return {
      marks: marked(...marks),
      shade: isOwn && isShaded ? cell.value / brightest : null,
      hidden: cell.kind === "over",
      fixed: !isOwn || from < 0 || from >= width, // also a zero that has come in
      label: KINDS[cell.kind] ?? `Input ${cellName(cell.row, cell.column)}${isNew ? ", changed" : ""}`,
    };
  };
  input.show(cells.map((line) => line.map(({ value }) => value)), paint);
  const name = `Input ${height}×${width}${pad ? `, padding ${pad}` : ""}`;
  input.name(name, name);
}

function drawOutput(output, { Y, Y0, shift, differences, fed, pinned, cell, isShaded }) {
  const strongest = largest(Y);
  const paint = (r, c) => {
    const isHere = fed ? holds(fed, r, c) : same([r, c], cell);
    const marks = [isHere && (fed ? "d2l-fed" : "d2l-here"), !fed && same([r, c], pinned) && "d2l-pinned"];
    const isChanged = differences[r][c];
    const news = isChanged ? `, changed from ${short(Y0[r][c])}` : ", unchanged";
    return {
      marks: marked(...marks, shift && (isChanged ? "d2l-changed" : "d2l-stayed")),
      shade: isShaded ? Y[r][c] / strongest : null,
      label: `${cellName(r, c)}: ${short(Y[r][c])}${shift ? news : ""}`,
    };
  };
  output.show(Y, paint, pinned);
  const name = `Output ${Y.length}×${Y[0].length}`;
  output.name(name, name);
}

/** Write out the maximum or the mean of one window. */
function writeOut(formula, { Y, window, best, cell: [row, column], isAverage }) {
  const role = (cell) => `input ${cell === best ? "d2l-best" : cell.kind === "input" ? "" : "d2l-zero"}`;
  const terms = window.flatMap((cell, i) => [i ? ", " : "", number(short(cell.value), role(cell))]);
  fill(formula, isAverage ? "mean(" : "max(", ...terms, ") = ", number(short(Y[row][column]), "output"));
}

/** Say in words what is marked, and what the shift has changed; return what a screen reader says. */
function explain({ counts, note }, { Y, Y0, news, differences, cell: [row, column], source, fed, shift }) {
  const by = `${counted(Math.abs(shift), "pixel")} to the ${shift > 0 ? "right" : "left"}`;
  const [outputs, inputs] = [countChanged(differences, "outputs"), countChanged(news, "inputs")];
  const moved = `Shifted by ${by}: ${outputs} (≠); ${inputs} (•).`;
  write(counts, shift ? moved : "Not shifted: move the slider “Shift” to compare.");

  const name = cellName(row, column);
  const from = source?.kind === "input" ? `Input ${cellName(source.row, source.column)}` : "This cell outside the input";
  const feeding = fed ? `${from} is seen by ${counted(fed.rows.length * fed.cols.length, "output cell")}.` : "";
  const past = differences[row][column] ? `before the shift: ${short(Y0[row][column])}` : "as before the shift";
  write(note, `${feeding} Output ${name}${shift ? ` (${past})` : ""}:`.trim());
  const size = `output ${Y.length} by ${Y[0].length}`;
  const value = `${name}: ${short(Y[row][column])}`;
  return feeding || [size, shift ? `${outputs}; ${inputs}` : "", value].filter(Boolean).join("; ");
}

/** Draw all of it; return what a screen reader says. */
function drawAll(parts, shown, pinned, at) {
  write(parts.problem, shown.problem);
  for (const part of [parts.result, parts.counts, parts.note, parts.formula]) part.hidden = !shown.axes;
  if (!shown.axes) {
    drawInput(parts, shown, { isHere: () => false, best: null });
    return shown.problem;
  }
  const output = computeOutput(shown, pinned, at);
  const { seen, source, fed, best } = output;
  const isSource = (cell) => cell.row === source.row && cell.column === source.column;
  const isSeen = (cell) => holds(seen, cell.row, cell.column);
  drawInput(parts, shown, { isHere: fed ? isSource : isSeen, best: fed ? null : best });
  drawOutput(parts.output, output);
  writeOut(parts.formula, output);
  return explain(parts, output);
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-pooling" });
  const voice = makeVoice(model, root);
  const pointer = makePointer(() => soon());
  let cells = []; // what the input's grid shows
  const parts = layOut(root, {
    edit([row, column], value) {
      const own = cells[row][column];
      changeNumber(model, "input", [own.row, own.column - model.get("shift")], value);
    },
    pointInput: (cell) => pointer.move(cell && { source: cells[cell[0]][cell[1]] }),
    pointOutput: (cell) => pointer.move(cell && { cell }),
    pick(cell) {
      pointer.move(null); // even if it still rests on a cell
      change(model, { cell });
      soon();
    },
  });
  root.append(voice.element);

  function draw() {
    const state = readState(model, STATE);
    const shown = computeInput(state);
    cells = shown.cells;
    const said = drawAll(parts, shown, state.cell, pointer.at);
    if (!shown.axes || !pointer.at?.cell) voice.say(said);
  }

  const { soon, stop } = watch(model, Object.keys(STATE), root, draw);
  el.append(root);
  return stop;
}

export default { render };
