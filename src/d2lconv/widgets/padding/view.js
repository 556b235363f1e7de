/** The view of padding_explorer: where a kernel fits on a padded input, and the formula that counts its positions. */

import { checkReach, convAxes, droppedCells, holds, outputsFedBy } from "../shared/geometry.js";
import { paddingSides, range, windowCells } from "../shared/geometry.js";
import { cellName, counted, fill, listen, make, makePointer, marked } from "../shared/base.js";
import { number, same, sign, watchWidth, write } from "../shared/base.js";
import { frameFigure, TORCH } from "../shared/frame.js";
import { Grid } from "../shared/grid.js";
import { flag, whole } from "../shared/state.js";

const MODES = [null, "valid", "same", "full"];
const LIMITS = { size: [1, 10], kernel: [1, 5], padding: [0, 12], stride: [1, 4], dilation: [1, 3] };
const PAIRS = Object.keys(LIMITS);
const STATE = {
  ...Object.fromEntries(PAIRS.flatMap((name) => ["h", "w"].map((axis) => [`${name}_${axis}`, whole(...LIMITS[name])]))),
  mode: whole(0, 3),
  lock_aspect: flag,
};
// What follows from others comes last: in this order a state can be set.
const SETTINGS = ["lock_aspect", "mode", ...["size", "kernel", "dilation", "stride", "padding"].flatMap((name) => [`${name}_h`, `${name}_w`])];
const LEGIBLE = 17; // pixels of a cell that has room for a number
const TALLEST = 320; // pixels of the tallest grid
const KEY =
  "A number says how many windows hold the cell. Dotted: zeros. Frames: the kernel's first position (solid) and its " +
  "last (dashed). ×: no window reaches the cell.";

/** Put the settings into pairs of height and width. */
function pairUp(state) {
  const pairs = Object.fromEntries(PAIRS.map((name) => [name, [state[`${name}_h`], state[`${name}_w`]]]));
  const padding = MODES[state.mode] ?? pairs.padding;
  const sides = paddingSides(padding, pairs.kernel, { dilation: pairs.dilation });
  return { ...pairs, mode: MODES[state.mode], padding, sides, isLocked: state.lock_aspect };
}

// ---- traits that follow from others ----

/** With a locked aspect, give one axis the settings of the other. */
function followAspect(model, trait) {
  if (!model.get("lock_aspect")) return;
  const [from, to] = trait.endsWith("_w") ? "wh" : "hw";
  const names = trait === "lock_aspect" ? PAIRS : PAIRS.filter((name) => trait.startsWith(name));
  for (const name of names) model.set(`${name}_${to}`, model.get(`${name}_${from}`));
}

/** While a mode is chosen, show its zeros as numbers; zeros that are set end the mode. SAME brings its stride. */
function followMode(model, trait) {
  if (!model.get("mode")) return;
  if (trait === "mode" && MODES[model.get("mode")] === "same") for (const axis of "hw") model.set(`stride_${axis}`, 1);
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
  root.append(grids, note, formula, key);
  return { root, input, output, first, last, formula, note, key, result, grids };
}

/** Make the cells as large as there is room for, with both grids side by side. */
function fit({ grids, root }, room, [rows, columns, more]) {
  if (!room) return;
  const cell = Math.min(32, (room - 50) / (columns + more), TALLEST / rows);
  grids.style.setProperty("--cell", `${cell}px`);
  root.classList.toggle("d2l-many", cell < LEGIBLE);
}

// ---- from the state to what is shown ----

/** Say why there is no output. */
function checkFit({ mode, kernel, stride, dilation }, padded) {
  if (mode === "same" && Math.max(...stride) > 1) {
    const repair = { text: "Take stride 1", values: { stride_h: 1, stride_w: 1 } };
    throw Object.assign(new RangeError("PyTorch has SAME padding only for stride 1"), { repair });
  }
  checkReach(kernel, dilation, padded);
}

/** Work out what there is to show. */
function compute(settings, at) {
  const { size, kernel, sides, ...rest } = settings;
  const [top, bottom, left, right] = sides;
  const padded = [top + size[0] + bottom, left + size[1] + right];
  checkFit(settings, padded);
  const isIn = (cell, [height, width]) => cell && cell[0] < height && cell[1] < width;
  const axes = convAxes(size, kernel, rest);
  const source = isIn(at?.source, padded) ? at.source : null;
  const cell = isIn(at?.cell, axes.map(({ out }) => out)) ? at.cell : null;
  const seen = cell && windowCells(...cell, axes);
  const fed = source && outputsFedBy(source[0] - top, source[1] - left, axes);
  return { ...settings, padded, axes, cell, seen, source, fed };
}

/** Lay a frame around a position of the kernel. */
function frame(element, { rows, cols }, [top, , left]) {
  const position = { row: rows[0] + top, column: cols[0] + left };
  const extent = { high: rows.at(-1) - rows[0] + 1, wide: cols.at(-1) - cols[0] + 1 };
  for (const [name, value] of Object.entries({ ...position, ...extent })) element.style.setProperty(`--${name}`, value);
}

function drawInput({ input }, { size: [height, width], sides: [top, , left], padded: [rows, columns], ...shown }) {
  const { axes, seen, source } = shown;
  input.element.style.setProperty("--rows", rows);
  const down = range(rows).map((r) => outputsFedBy(r - top, 0, axes).rows.length);
  const across = range(columns).map((c) => outputsFedBy(0, c - left, axes).cols.length);
  const windows = down.map((many) => across.map((more) => many * more));
  const isZero = (r, c) => r < top || r >= top + height || c < left || c >= left + width;
  const isHere = (r, c) => (seen ? holds(seen, r - top, c - left) : same(source, [r, c]));
  input.show(windows, (r, c) => {
    const many = windows[r][c];
    const marks = [isZero(r, c) && "d2l-around", !many && "d2l-dropped", isHere(r, c) && "d2l-here"];
    const inWindows = many ? `, in ${counted(many, "window")}` : ", no window reaches it";
    return {
      marks: marked(...marks),
      text: String(many || "×"),
      label: `${cellName(r, c)}: ${isZero(r, c) ? "zero" : "input"}${inWindows}`,
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
  const { axes, sides } = shown;
  parts.root.classList.toggle("d2l-locked", shown.isLocked);
  drawInput(parts, shown);
  frame(parts.first, windowCells(0, 0, axes), sides);
  frame(parts.last, windowCells(axes[0].out - 1, axes[1].out - 1, axes), sides);
  writeOut(parts.formula, axes);
  drawOutput(parts.output, shown);
  const [text, ...more] = explain(shown);
  write(parts.note, `${text}.${more.join("")}`);
  return text[0].toLowerCase() + text.slice(1);
}

/** Write what is shown as lines of PyTorch. */
function code(state) {
  const { size, kernel, stride, dilation, mode, sides } = pairUp(state);
  const padding = mode === "same" || mode === "valid" ? JSON.stringify(mode) : pairText([sides[0], sides[2]]);
  return [
    TORCH,
    `X = torch.arange(${size[0] * size[1]}.0).reshape(1, 1, ${size.join(", ")})`,
    `K = torch.ones(1, 1, ${kernel.join(", ")})`,
    `Y = F.conv2d(X, K, stride=${pairText(stride)}, padding=${padding}, dilation=${pairText(dilation)})`,
    "print(tuple(Y.shape[2:]))",
    "",
  ].join("\n");
}

const pairText = ([a, b]) => (a === b ? String(a) : `(${a}, ${b})`);

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-padding" });
  const pointer = makePointer(() => soon());
  const parts = layOut(root, pointer.move);
  let room = 0; // pixels from left to right
  let sizes = [1, 1, 1]; // rows and columns of the input, columns of the output

  function draw(state, say) {
    const shown = compute(pairUp(state), pointer.at);
    const text = drawAll(parts, shown);
    sizes = [...shown.padded, shown.axes[1].out];
    fit(parts, room, sizes);
    say(text);
  }

  const { soon, stop } = frameFigure(model, root, { kinds: STATE, settings: SETTINGS, draw, code });
  const stopFollowing = follow(model);
  const stopFitting = watchWidth(root, (width) => {
    room = width;
    fit(parts, room, sizes);
  });
  el.append(root);
  queueMicrotask(() => {
    room = root.clientWidth; // it stands in the page now: before that is painted
    fit(parts, room, sizes);
  });
  return () => {
    stopFollowing();
    stop();
    stopFitting();
  };
}

export default { render };
