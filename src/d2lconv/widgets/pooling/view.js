/** The view of pooling_explorer: the maximum or mean of each window, and what a shift of the input changes. */

import { avgPool2d, fail, holds, maxPool2d, outputsFedBy, poolAxes, range, toRows, toTensor, windowCells } from "../shared/geometry.js";
import { cellName, change, changeNumber, counted, equals, fill, largest, make, makePointer } from "../shared/base.js";
import { marked, number, same, short, sign, write } from "../shared/base.js";
import { asTensor, frameFigure, TORCH } from "../shared/frame.js";
import { Grid } from "../shared/grid.js";
import { flag, listOf, matrix, whole } from "../shared/state.js";

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
 * @param {Axis[]} axes
 * @param {number} nothing what the padding counts for
 * @returns {{kind: "input"|"padding"|"over", row: number, column: number, value: number}[][]} row and column are
 *   counted in the input; what lies over the end counts for nothing
 */
function layOutCells(X, axes, nothing) {
  const [rows, columns] = axes.map(({ size, before, after, out, stride, kernel }) =>
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

/** Say why there is no output. */
function checkFit({ input, kernel_size: kernel, padding }) {
  const [least, what] = input.length <= input[0].length ? [input.length, "row"] : [input[0].length, "column"];
  if (2 * padding > kernel) fail(`the padding, ${padding}, may be at most half of the window, ${kernel}`);
  const rule = `the window has ${counted(kernel, what)}, but the padded input only ${least + 2 * padding}`;
  if (kernel > least + 2 * padding) fail(`${rule}; a smaller window or more padding helps`);
}

/** Lay out the input. */
function computeInput(state) {
  checkFit(state);
  const { input, shift, kernel_size: kernel, stride, padding, ceil_mode: ceilMode } = state;
  const X = moveRight(input, shift);
  const isAverage = state.mode_index === 1;
  const options = { stride, padding, ceilMode };
  const axes = poolAxes([X.length, X[0].length], kernel, options);
  const cells = layOutCells(X, axes, isAverage ? 0 : -Infinity);
  const isShaded = X[0].length > SHADED;
  return { X, before: input, shift, isAverage, kernel, options, axes, cells, isShaded, news: changesBetween(X, input) };
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
  root.append(grids, counts, note, formula);
  return { input, output, result, grids, counts, note, formula };
}

// ---- draw ----

function drawInput({ input, grids }, { X, cells, shift, news, isShaded }, { isHere, seen, best }) {
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
  input.frame(seen && { rows: seen.rows.map((row) => row + pad), cols: seen.cols.map((column) => column + pad) });
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
  const relation = isAverage ? equals(...window.map(({ value }) => value), Y[row][column]) : "=";
  fill(formula, isAverage ? "mean(" : "max(", ...terms, `) ${relation} `, number(short(Y[row][column]), "output"));
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
  const output = computeOutput(shown, pinned, at);
  const { seen, source, fed, best } = output;
  const isSource = (cell) => cell.row === source.row && cell.column === source.column;
  const isSeen = (cell) => holds(seen, cell.row, cell.column);
  drawInput(parts, shown, { isHere: fed ? isSource : isSeen, seen: fed ? null : seen, best: fed ? null : best });
  drawOutput(parts.output, output);
  parts.grids.style.setProperty("--high", shown.cells.length);
  parts.grids.style.setProperty("--wide", shown.cells[0].length + output.Y[0].length);
  writeOut(parts.formula, output);
  return explain(parts, output);
}

/** Write what is shown as lines of PyTorch. */
function code({ input, mode_index: mode, kernel_size, stride, padding, ceil_mode: ceil, shift }) {
  const options = `${kernel_size}, stride=${stride}, padding=${padding}, ceil_mode=${ceil ? "True" : "False"}`;
  const call = `Y = F.${mode ? "avg" : "max"}_pool2d(X[None], ${options})[0]`;
  return [TORCH, asTensor("X", moveRight(input, shift)), call, "print(Y)", ""].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-pooling" });
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

  function draw(state, say) {
    const shown = computeInput(state);
    cells = shown.cells;
    const said = drawAll(parts, shown, state.cell, pointer.at);
    if (!pointer.at?.cell) say(said);
  }

  const { soon, stop } = frameFigure(model, root, { kinds: STATE, draw, code });
  el.append(root);
  return stop;
}

export default { render };
