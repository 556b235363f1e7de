/** The view of pooling_explorer: the maximum or mean of each window, and what a shift of the input changes. */

import { avgPool2d, maxPool2d, outputsFedBy, poolAxes, windowCells } from "./geometry.js";
import { fill, make, makeVoice, marked, number, placeName, same, short, watch, write } from "./base.js";
import { makeGrid } from "./grid.js";

const TRAITS = ["input", "mode_index", "kernel_size", "stride", "padding", "ceil_mode", "shift", "cell"];
const SHADED = 6; // an input with more columns is shown as a picture

const range = (length) => [...Array(length).keys()];

/** Move the columns of a matrix to the right; zeros come in. */
const moved = (X, by) => X.map((line) => line.map((_, column) => line[column - by] ?? 0));

/** Tell whether two numbers differ by more than the rounding of a mean. */
const differ = (a, b) => Math.abs(a - b) > 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

/** For each cell of two matrices, tell whether they differ there. */
const changes = (X, Y) => X.map((line, row) => line.map((value, column) => differ(value, Y[row][column])));
const count = (flags) => flags.flat().filter(Boolean).length;

/** Pool rows of numbers in float32, as PyTorch does. */
function pool(X, average, kernel, options) {
  const tensor = { data: Float32Array.from(X.flat()), shape: [1, X.length, X[0].length] };
  const { data, shape } = (average ? avgPool2d : maxPool2d)(tensor, kernel, options);
  return range(shape[1]).map((row) => Array.from(data.subarray(row * shape[2], (row + 1) * shape[2])));
}

/**
 * Lay out the cells that windows can see, row by row.
 * @param {number[][]} X
 * @param {?Axis[]} axes null if the settings are impossible: then there is no padding
 * @param {number} nothing what the padding counts for
 * @returns {{kind: "input"|"padding"|"over", row: number, column: number, value: number}[][]} the place is
 *   counted in the input; what lies over the end counts for nothing
 */
function layOut(X, axes, nothing) {
  const bare = (size) => ({ size, before: 0, after: 0, out: 1, stride: 1, kernel: 1 });
  const sides = axes ?? [X.length, X[0].length].map(bare);
  const [rows, columns] = sides.map(({ size, before, after, out, stride, kernel }) =>
    range(Math.max(before + size + after, (out - 1) * stride + kernel)).map((place) => {
      const at = place - before;
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

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-pooling" });
  const voice = makeVoice(model, root);
  let pointed = null; // output cell under the pointer
  let source = null; // input cell under the pointer or in focus, counted in the input
  let cells = []; // what the input's grid shows

  const input = makeGrid({
    title: "Input",
    role: "input",
    onEdit: edit,
    onPoint: (row, column) => point(null, row === null ? null : cells[row][column]),
  });
  const output = makeGrid({
    title: "Output",
    role: "output",
    onPoint: (row, column) => point(row === null ? null : [row, column], null),
    onPick: pin,
  });
  const sign = make("span", { class: "d2l-sign", "aria-hidden": "true" }, "→");
  const result = make("div", { class: "d2l-row d2l-pair" }, sign, output.element);
  const grids = make("div", { class: "d2l-row" }, input.element, result);
  const counted = make("p", { class: "d2l-counted" });
  const note = make("p", { class: "d2l-note" });
  const formula = make("p", { class: "d2l-formula" });
  const problem = make("p", { class: "d2l-impossible" });
  root.append(problem, grids, counted, note, formula, voice.element);
  el.append(root);

  function edit(row, column, number) {
    const own = cells[row][column];
    const values = model.get("input").map((line) => [...line]);
    values[own.row][own.column - model.get("shift")] = number;
    model.set("input", values);
    model.save_changes();
  }

  function point(cell, from) {
    if (same([cell, from], [pointed, source])) return;
    [pointed, source] = [cell, from];
    soon();
  }

  function pin(row, column) {
    pointed = null; // even if the pointer still rests on a cell
    model.set("cell", [row, column]);
    model.save_changes();
    soon();
  }

  function draw() {
    const [before, shift, average] = ["input", "shift", "mode_index"].map((name) => model.get(name));
    const [kernel, stride, padding] = ["kernel_size", "stride", "padding"].map((name) => model.get(name));
    const options = { stride, padding, ceilMode: model.get("ceil_mode") };
    const X = moved(before, shift);
    let axes = null;
    try {
      axes = poolAxes([X.length, X[0].length], kernel, options);
      write(problem, "");
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      write(problem, `Not possible: ${error.message}.`);
      voice.say(problem.textContent);
    }
    for (const part of [result, counted, note, formula]) part.hidden = !axes;
    cells = layOut(X, axes, average ? 0 : -Infinity);
    const news = changes(X, before);
    if (!axes) return drawInput(X, news, null, null);

    const [Y, Y0] = [X, before].map((values) => pool(values, average, kernel, options));
    const differences = changes(Y, Y0);
    const pinned = model.get("cell").map((place, axis) => Math.min(place, axes[axis].out - 1));
    const [row, column] = pointed?.every((place, axis) => place < axes[axis].out) ? pointed : pinned;
    const seen = windowCells(row, column, axes);
    const inside = (cell) => seen.rows.includes(cell.row) && seen.cols.includes(cell.column);
    const shown = cells.flat().filter((cell) => inside(cell) && cell.kind !== "over");
    const largest = Math.max(...shown.map((cell) => cell.value));
    const best = average ? null : shown.find((cell) => cell.value === largest);
    const fed = source && outputsFedBy(source.row, source.column, axes);

    const pointedAt = (cell) => cell.row === source.row && cell.column === source.column;
    drawInput(X, news, fed ? pointedAt : inside, fed ? null : best);
    drawOutput(Y, Y0, shift ? differences : null, { fed, pinned, row, column, shaded: X[0].length > SHADED });
    writeOut(shown, best, Y[row][column], average);
    explain({ Y, Y0, news, differences, row, column, fed, shift });
  }

  function drawInput(X, news, here, best) {
    const [height, width, pad] = [X.length, X[0].length, -cells[0][0].row];
    const shaded = width > SHADED;
    const shift = model.get("shift");
    const names = { padding: "Padding cell", over: "Beyond the end" };
    const top = Math.max(...X.flat().map(Math.abs)) || 1;
    grids.classList.toggle("d2l-dense", shaded);
    input.show(
      cells.map((line) => line.map((cell) => cell.value)),
      (r, c) => {
        const cell = cells[r][c];
        const own = cell.kind === "input";
        const marks = [
          here?.(cell) && "d2l-here",
          own ? news[cell.row][cell.column] && "d2l-changed" : `d2l-${cell.kind}`,
          cell === best && "d2l-best",
        ];
        const [changed, from] = [own && news[cell.row][cell.column], cell.column - shift];
        return {
          marks: marked(...marks),
          shade: own && shaded ? cell.value / top : null,
          hidden: cell.kind === "over",
          fixed: !own || from < 0 || from >= width, // also a zero that has come in
          label: names[cell.kind] ?? `Input ${placeName(cell.row, cell.column)}${changed ? ", changed" : ""}`,
        };
      },
    );
    name(input, `Input ${height}×${width}${pad ? `, padding ${pad}` : ""}`);
  }

  function drawOutput(Y, Y0, differences, { fed, pinned, row, column, shaded }) {
    const limit = Math.max(...Y.flat().map(Math.abs)) || 1;
    const state = (r, c) => (differences ? (differences[r][c] ? "changed" : "stayed") : "");
    const paint = (r, c) => {
      const here = fed ? fed.rows.includes(r) && fed.cols.includes(c) : r === row && c === column;
      const marks = [
        here && (fed ? "d2l-fed" : "d2l-here"),
        !fed && same([r, c], pinned) && "d2l-pinned",
        state(r, c) && `d2l-${state(r, c)}`,
      ];
      const news = differences?.[r][c] ? `, changed from ${short(Y0[r][c])}` : ", unchanged";
      return {
        marks: marked(...marks),
        shade: shaded ? Y[r][c] / limit : null,
        label: `${placeName(r, c)}: ${short(Y[r][c])}${differences ? news : ""}`,
      };
    };
    output.show(Y, paint, pinned);
    name(output, `Output ${Y.length}×${Y[0].length}`);
  }

  const name = (grid, text) => grid.name(text, text);

  /** Write out the maximum or the mean of one window. */
  function writeOut(shown, best, value, average) {
    const terms = shown.flatMap((cell, i) => [
      i ? ", " : "",
      number(short(cell.value), `input ${cell === best ? "d2l-best" : cell.kind === "input" ? "" : "d2l-zero"}`),
    ]);
    fill(formula, average ? "mean(" : "max(", ...terms, ") = ", number(short(value), "output"));
  }

  /** Say in words what is marked, and what the shift has changed. */
  function explain({ Y, Y0, news, differences, row, column, fed, shift }) {
    const of = (flags, what) => `${count(flags)} of ${flags.flat().length} ${what} changed`;
    const by = `${Math.abs(shift)} ${Math.abs(shift) === 1 ? "pixel" : "pixels"} to the ${shift > 0 ? "right" : "left"}`;
    const [outputs, inputs] = [of(differences, "outputs"), of(news, "inputs")];
    const moved = `Shifted by ${by}: ${outputs} (≠); ${inputs} (•).`;
    write(counted, shift ? moved : "Not shifted: move the slider “Shift” to compare.");

    const place = placeName(row, column);
    const many = fed ? fed.rows.length * fed.cols.length : 0;
    const own = source?.kind === "input";
    const from = own ? `Input ${placeName(source.row, source.column)}` : "This cell outside the input";
    const feeding = fed ? `${from} is seen by ${many} output ${many === 1 ? "cell" : "cells"}.` : "";
    const past = differences[row][column] ? `before the shift: ${short(Y0[row][column])}` : "as before the shift";
    write(note, `${feeding} Output ${place}${shift ? ` (${past})` : ""}:`.trim());
    if (pointed) return;
    const size = `output ${Y.length} by ${Y[0].length}`;
    const value = `${place}: ${short(Y[row][column])}`;
    voice.say(feeding || [size, shift ? `${outputs}; ${inputs}` : "", value].filter(Boolean).join("; "));
  }

  const { soon, stop } = watch(model, TRAITS, draw);
  draw();
  return stop;
}

export default { render };
