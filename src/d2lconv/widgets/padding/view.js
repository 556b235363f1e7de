/** The view of padding_explorer: where a kernel fits on a padded input, and the formula that counts its positions. */

import { convAxes, droppedCells, holds, outputsFedBy, paddingSides, range, windowCells } from "../shared/geometry.js";
import { cellName, change, counted, fill, listen, make, makePointer, makeVoice, marked } from "../shared/base.js";
import { number, same, sign, watch, watchWidth, write } from "../shared/base.js";
import { Grid } from "../shared/grid.js";
import { flag, readState, whole } from "../shared/state.js";

const MODES = [null, "valid", "same", "full"];
const LIMITS = { size: [1, 10], kernel: [1, 5], padding: [0, 12], stride: [1, 4], dilation: [1, 3] };
const PAIRS = Object.keys(LIMITS);
const STATE = {
  ...Object.fromEntries(PAIRS.flatMap((name) => ["h", "w"].map((axis) => [`${name}_${axis}`, whole(...LIMITS[name])]))),
  mode: whole(0, 3),
  lock_aspect: flag,
};
const MANY = 14; // with more columns a phone has no room for numbers
const KEY =
  "A number says how many windows hold the cell. Dotted: zeros. Frames: the kernel's first position (solid) and its " +
  "last (dashed). ×: no window reaches the cell.";

/** Read the settings as pairs of height and width. */
function readSettings(model) {
  const state = readState(model, STATE);
  const pairs = Object.fromEntries(PAIRS.map((name) => [name, [state[`${name}_h`], state[`${name}_w`]]]));
  const padding = MODES[state.mode] ?? pairs.padding;
  const sides = paddingSides(padding, pairs.kernel, { dilation: pairs.dilation });
  return { ...pairs, mode: MODES[state.mode], padding, sides };
}

// ---- traits that follow from others ----

/** With a locked aspect, give one axis the settings of the other. */
function followAspect(model, trait) {
  if (!model.get("lock_aspect")) return;
  const [from, to] = trait.endsWith("_w") ? "wh" : "hw";
  const names = trait === "lock_aspect" ? PAIRS : PAIRS.filter((name) => trait.startsWith(name));
  for (const name of names) model.set(`${name}_${to}`, model.get(`${name}_${from}`));
}

/** While a mode is chosen, show its zeros as numbers; zeros that are set end the mode. */
function followMode(model, trait) {
  if (!model.get("mode")) return;
  const pair = (name) => [model.get(`${name}_h`), model.get(`${name}_w`)];
  const [top, , left] = paddingSides(MODES[model.get("mode")], pair("kernel"), { dilation: pair("dilation") });
  if (!trait.startsWith("padding")) {
    model.set("padding_h", top);
    model.set("padding_w", left);
  } else if (!same(pair("padding"), [top, left])) model.set("mode", 0);
}

function follow(model) {
  let isBusy = false; // while the traits are set here
  const stops = Object.keys(STATE).map((trait) =>
    listen(model, [trait], () => {
      if (isBusy) return;
      isBusy = true;
      followAspect(model, trait);
      followMode(model, trait);
      isBusy = false;
      model.save_changes();
    }),
  );
  return () => stops.forEach((stop) => stop());
}

// ---- layout ----

function layOut(root, point) {
  const input = new Grid({
    title: "Padded input",
    role: "input",
    onPoint: (source) => point(source && { source }),
  });
  const output = new Grid({ title: "Output", role: "output", onPoint: (cell) => point(cell && { cell }) });
  const first = make("div", { class: "d2l-frame", "aria-hidden": "true" });
  const last = make("div", { class: "d2l-frame d2l-last", "aria-hidden": "true" });
  const formula = make("div", { class: "d2l-formula" });
  const note = make("p", { class: "d2l-note" });
  const key = make("p", { class: "d2l-note" }, KEY);
  const result = make("div", { class: "d2l-row d2l-pair" }, sign("→"), output.element);
  const grids = make("div", { class: "d2l-row d2l-grids" }, input.element, result);
  input.element.append(first, last);
  root.append(formula, grids, note, key);
  return { root, input, output, first, last, formula, note, key, result, grids };
}

/** Make the cells as large as there is room for: both grids side by side, or one below the other. */
function fit(grids, room, [columns, more]) {
  const beside = room < 480 ? 32 : Math.max(18, (room - 56) / (columns + more));
  if (room) grids.style.setProperty("--cell", `${Math.min(32, (room - 2) / columns, beside)}px`);
}

// ---- from the state to what is shown ----

/** Work out what there is to show. */
function compute(settings, at) {
  const { size, kernel, sides, ...rest } = settings;
  const [top, bottom, left, right] = sides;
  const padded = [top + size[0] + bottom, left + size[1] + right];
  const isIn = (cell, [height, width]) => cell && cell[0] < height && cell[1] < width;
  const shown = { ...settings, padded, axes: null, problem: "" };
  const source = isIn(at?.source, padded) ? at.source : null;
  try {
    shown.axes = convAxes(size, kernel, rest);
  } catch (error) {
    return { ...shown, problem: error.message, source };
  }
  const cell = isIn(at?.cell, shown.axes.map(({ out }) => out)) ? at.cell : null;
  const seen = cell && windowCells(...cell, shown.axes);
  const fed = source && outputsFedBy(source[0] - top, source[1] - left, shown.axes);
  return { ...shown, cell, seen, source, fed };
}

/** Lay a frame around a position of the kernel. */
function frame(element, { rows, cols }, [top, , left]) {
  const position = { row: rows[0] + top, column: cols[0] + left };
  const extent = { high: rows.at(-1) - rows[0] + 1, wide: cols.at(-1) - cols[0] + 1 };
  for (const [name, value] of Object.entries({ ...position, ...extent })) element.style.setProperty(`--${name}`, value);
}

function drawInput({ input, root }, { size: [height, width], sides: [top, , left], padded: [rows, columns], ...shown }) {
  const { axes, seen, source } = shown;
  input.element.style.setProperty("--rows", rows);
  root.classList.toggle("d2l-many", columns > MANY);
  const down = range(rows).map((r) => (axes ? outputsFedBy(r - top, 0, axes).rows.length : 0));
  const across = range(columns).map((c) => (axes ? outputsFedBy(0, c - left, axes).cols.length : 0));
  const windows = down.map((many) => across.map((more) => many * more));
  const isZero = (r, c) => r < top || r >= top + height || c < left || c >= left + width;
  const isHere = (r, c) => (seen ? holds(seen, r - top, c - left) : axes && same(source, [r, c]));
  input.show(windows, (r, c) => {
    const many = windows[r][c];
    const marks = [isZero(r, c) && "d2l-around", axes && !many && "d2l-dropped", isHere(r, c) && "d2l-here"];
    const inWindows = many ? `, in ${counted(many, "window")}` : ", no window reaches it";
    return {
      marks: marked(...marks),
      text: axes ? String(many || "×") : "",
      label: `${cellName(r, c)}: ${isZero(r, c) ? "zero" : "input"}${axes ? inWindows : ""}`,
    };
  });
}

function drawOutput(output, { axes, sides, cell, fed }) {
  const isHere = (r, c) => (fed ? holds(fed, r, c) : same(cell, [r, c]));
  const blank = range(axes[0].out).map(() => range(axes[1].out));
  output.show(blank, (r, c) => ({
    marks: isHere(r, c) ? (fed ? "d2l-fed" : "d2l-here") : "",
    text: "",
    label: `${cellName(r, c)}: ${windowText(r, c, axes, sides)}`,
  }));
}

/** Say which rows and columns of the padded input one window holds. */
function windowText(row, column, axes, [top, , left]) {
  const { rows, cols } = windowCells(row, column, axes);
  const list = (name, cells, start) =>
    `${name}${cells.length === 1 ? "" : "s"} ${cells.map((cell) => cell + start).join(", ")}`;
  return `window over ${list("row", rows, top)} and ${list("column", cols, left)}`;
}

/** Write the formula with its numbers, for height and width. */
function writeOut(formula, axes) {
  const title = (name) => ["span", { class: "d2l-axis" }, name];
  const line = (marks, name, ...parts) => ["div", { class: marks }, title(name), ["span", {}, ...parts]];
  const lines = axes.map(({ size: n, kernel: k, stride: s, before, after, dilation: d, out }, axis) => {
    const steps = before + n + after - d * (k - 1) - 1;
    const inside = ["⌊(", number(n, "input"), ` + ${before} + ${after} − ${d}·(`, number(k, "kernel")];
    const tail = ["span", { class: "d2l-tail" }, ` = ⌊${steps} / ${s}⌋ + 1 = `, number(out, "output")];
    return line("d2l-line", ["Height", "Width"][axis], ...inside, ` − 1) − 1) / ${s}⌋ + 1`, tail);
  });
  fill(formula, line("d2l-line d2l-rule", "Rule", "⌊(n + p₁ + p₂ − d·(k − 1) − 1) / s⌋ + 1"), ...lines);
}

/** Say why there are cells that no window holds. */
function reasons(axes, dropped) {
  const rests = axes.map(({ size, kernel, stride, before, after, dilation }) => {
    const steps = before + size + after - dilation * (kernel - 1) - 1;
    return { steps, stride, rest: steps % stride };
  });
  const uneven = rests.filter(({ rest }) => rest).map(({ steps, stride }) => `${steps} is no multiple of ${stride}`);
  const isJumped = [dropped.rows, dropped.cols].some(({ length }, axis) => length > rests[axis].rest);
  return [
    uneven.length && `${[...new Set(uneven)].join(" and ")}: the floor drops the rest.`,
    isJumped && "Windows jump over cells, because stride or dilation is too large for the kernel.",
  ].filter(Boolean).join(" ");
}

/** Say in words what came out, what is marked, and which cells are in no window: what is said, and what is added. */
function explain({ axes, sides: [top, bottom, left, right], mode, cell, source, fed }) {
  if (cell) return [`Output ${cellName(...cell)}: ${windowText(...cell, axes, [top, bottom, left])}`];
  if (source) {
    const many = counted(fed.rows.length * fed.cols.length, "window");
    return [`Row ${source[0]}, column ${source[1]} of the padded input: in ${many}`];
  }
  const dropped = droppedCells(axes);
  const lost = [
    dropped.rows.length && counted(dropped.rows.length, "row"),
    dropped.cols.length && counted(dropped.cols.length, "column"),
  ].filter(Boolean);
  const reached = lost.length ? `${lost.join(" and ")} in no window` : "every cell is in a window";
  const more = [bottom > top && "at the bottom", right > left && "on the right"].filter(Boolean);
  return [
    `Output ${axes[0].out} by ${axes[1].out}, ${reached}`,
    more.length ? ` ${mode.toUpperCase()} puts one more zero ${more.join(" and ")}.` : "",
    lost.length ? ` ${reasons(axes, dropped)}` : "",
  ];
}

/** Draw all of it; return what a screen reader says. */
function drawAll(parts, shown) {
  const { axes, sides, problem } = shown;
  for (const element of [parts.result, parts.first, parts.last, parts.key]) element.hidden = !axes;
  drawInput(parts, shown);
  if (!axes) {
    fill(parts.formula, ["p", { class: "d2l-problem" }, `No output: ${problem}.`]);
    write(parts.note, "");
    return `no output: ${problem}`;
  }
  frame(parts.first, windowCells(0, 0, axes), sides);
  frame(parts.last, windowCells(axes[0].out - 1, axes[1].out - 1, axes), sides);
  writeOut(parts.formula, axes);
  drawOutput(parts.output, shown);
  const [text, ...more] = explain(shown);
  write(parts.note, `${text}.${more.join("")}`);
  return text[0].toLowerCase() + text.slice(1);
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-padding" });
  const voice = makeVoice(model, root);
  const pointer = makePointer(() => soon());
  const parts = layOut(root, pointer.move);
  root.append(voice.element);
  let room = 0; // pixels from left to right
  let widths = [1, 1]; // columns of the two grids

  function draw() {
    const shown = compute(readSettings(model), pointer.at);
    const text = drawAll(parts, shown);
    widths = [shown.padded[1], shown.axes ? shown.axes[1].out : 0];
    fit(parts.grids, room, widths);
    voice.say(text);
  }

  const { soon, stop } = watch(model, Object.keys(STATE), root, draw);
  const stopFollowing = follow(model);
  const stopFitting = watchWidth(root, (width) => {
    room = width;
    fit(parts.grids, room, widths);
  });
  el.append(root);
  return () => {
    stopFollowing();
    stop();
    stopFitting();
  };
}

export default { render };
