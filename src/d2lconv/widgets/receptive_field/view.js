/** The view of receptive_field_explorer: a stack of layers, and what one output cell sees of the input. */

import { convAxes, effectiveField, receptiveField, windowCells } from "../shared/geometry.js";
import { change, changeNumber, counted, dress, fill, listen, make, makePointer, marked } from "../shared/base.js";
import { number, watchWidth, write } from "../shared/base.js";
import { frameFigure } from "../shared/frame.js";
import { listOf, whole } from "../shared/state.js";
import { makeTable } from "./layers.js";

const STATE = {
  input_size: whole(1, 40),
  layers: listOf(listOf(whole(1, 8), 3), 6),
  depth: whole(1, 6),
  cell: whole(0, 40),
  last: whole(0, 40),
};
const WIDE = 28; // widest cell, in pixels
const TALL = 24; // height of a cell
const GAP = 30; // between two rows at most, for the cone
const CONE = 300; // height of all rows at most
const GUTTER = 60; // left of the rows, for their names
const BARS = 34; // height of the tallest bar
const TOUCHED = 24; // pixels from one output cell to the next, on a phone, so that a finger hits one
const PHONE = 480; // pixels of a narrower view
const LEGIBLE = 19; // width of a cell that has room for a number
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity };
const LEGEND = "k kernel size, s stride, d dilation; r size of a field, j jump to the next, n number of cells";

const asLayer = ([kernelSize, stride, dilation]) => ({ kernelSize, stride, dilation });
const percent = (fraction) => (fraction < 0.005 ? "<1" : String(Math.round(100 * fraction)));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// ---- from the state to what is shown ----

/** Walk up the stack. @returns {Array} a Row of layers.js for the input and each layer, and the axes of the latter */
function climb(size, stack) {
  const rows = [{ n: size, r: 1, j: 1 }];
  stack.forEach((settings, i) => {
    const field = receptiveField(stack.slice(0, i + 1).map(asLayer));
    const layer = asLayer(settings);
    const reach = receptiveField([layer]).size[0];
    const row = { n: null, r: field.size[0], j: field.stride[0], settings, reach };
    const below = rows[i].n;
    if (below !== null && reach <= below) {
      const { kernelSize, ...options } = layer;
      row.axes = convAxes([below, below], kernelSize, options);
      row.n = row.axes[0].out;
    }
    rows.push(row);
  });
  return rows;
}

const stackOf = ({ layers, depth }) => layers.slice(0, depth);

/** Say which cells of each row an output cell depends on. */
function trace(rows, cell) {
  const seen = [[cell]];
  for (const { axes } of rows.slice(1).reverse()) {
    const below = seen[0].flatMap((position) => windowCells(position, 0, axes).rows);
    seen.unshift([...new Set(below)].sort((a, b) => a - b));
  }
  return seen;
}

/** Work out what there is to show: all rows, and those up to the first that does not fit. */
function compute(state, pointed) {
  const stack = stackOf(state);
  const rows = climb(state.input_size, stack);
  const wrong = rows.findIndex(({ n }) => n === null);
  const fits = wrong < 0;
  const standing = fits ? rows : rows.slice(0, wrong);
  const cell = Math.min(pointed ?? state.cell, standing.at(-1).n - 1);
  const paths = fits ? effectiveField(stack.map(asLayer)) : [];
  const seen = fits ? trace(rows, cell) : standing.map(() => []);
  return { state, rows, wrong, fits, standing, cell, paths, seen };
}

/** The number of output cells follows the settings; a cell that no longer exists becomes the last. */
function follow(model, pointer) {
  const count = () => {
    const { n } = climb(model.get("input_size"), stackOf({ layers: model.get("layers"), depth: model.get("depth") })).at(-1);
    if (n === null || n - 1 === model.get("last")) return;
    pointer.move(null);
    change(model, { cell: Math.min(model.get("cell"), n - 1), last: n - 1 });
  };
  count();
  return listen(model, ["layers", "depth", "input_size"], count);
}

// ---- layout ----

/**
 * The row of output cells, of which one is chosen. Listeners are on what is around the drawing: in Chromium, an
 * SVG element that listens to focus takes it.
 */
function makeChoice(around, onPoint, onPick) {
  const element = make("g", { role: "radiogroup", "aria-label": "Cells of the output" });
  let cells = [];
  const numberOf = (event) => cells.indexOf(event.target.closest("[role=radio]")); // -1 beside the cells
  /** Return the cell above or below the pointer: a finger is wider than a cell. */
  function nearest({ clientX }) {
    const distances = cells.map((cell) => {
      const { left, right } = cell.getBoundingClientRect();
      return Math.abs((left + right) / 2 - clientX);
    });
    return distances.indexOf(Math.min(...distances));
  }
  const pick = (cell) => {
    if (cell < 0) return;
    cells[cell].focus();
    onPick(cell);
  };
  const listeners = {
    pointerover: (event) => event.pointerType !== "touch" && onPoint(numberOf(event) < 0 ? null : numberOf(event)),
    pointerleave: () => onPoint(null),
    click: (event) => pick(nearest(event)),
    pointermove: (event) => event.pointerType === "touch" && !event.target.closest(".d2l-wide") && pick(nearest(event)),
    focusin: (event) => onPick(numberOf(event)),
    keydown(event) {
      if (!(event.key in KEYS)) return;
      event.preventDefault();
      pick(Math.min(Math.max(numberOf(event) + KEYS[event.key], 0), cells.length - 1));
    },
  };
  for (const [name, listener] of Object.entries(listeners)) around.addEventListener(name, listener);

  /** @param {function(number): Part[]} paint */
  function show(count, chosen, paint) {
    if (cells.length !== count) {
      cells = Array.from({ length: count }, (_, i) => make("g", { role: "radio", "aria-label": `output cell ${i}` }));
      element.replaceChildren(...cells);
    }
    cells.forEach((cell, i) => {
      dress(cell, { "aria-checked": String(i === chosen), tabindex: i === chosen ? 0 : -1 });
      fill(cell, ...paint(i));
    });
  }

  return { element, show };
}

function layOut(root, { edit, complain, point, pick }) {
  const table = makeTable(edit, complain);
  const frame = make("div", { class: "d2l-scroll" });
  const choice = makeChoice(frame, point, pick);
  const drawing = make("g", { "aria-hidden": "true" });
  const marks = make("g", { "aria-hidden": "true" });
  const svg = make("svg", { class: "d2l-cone", role: "group", "aria-label": "Cone of cells" }, drawing, choice.element, marks);
  frame.append(svg);
  const formula = make("p", { class: "d2l-formula" });
  const note = make("p", { class: "d2l-note" });
  root.append(table.element, make("p", { class: "d2l-caption" }, LEGEND), formula, note, frame);
  return { table, choice, drawing, marks, svg, frame, formula, note };
}

// ---- draw ----

/**
 * Where the rows stand, the output on top, each cell over the middle of what it sees of the input. On a phone they can
 * be wider than the view, which then scrolls.
 */
function scaleOf({ state, standing }, width) {
  const least = width < PHONE ? TOUCHED / standing.at(-1).j : 0;
  const side = Math.min(WIDE, Math.max((width - GUTTER - 2) / state.input_size, least));
  const x = (i, cell) => GUTTER + (cell * standing[i].j + (standing[i].r - 1) / 2) * side; // left end
  const gap = Math.min(GAP, (CONE - TALL * standing.length) / (standing.length - 1));
  const y = (i) => 1 + (standing.length - 1 - i) * (TALL + gap);
  return { side, x, y, isWide: GUTTER + side * state.input_size + 2 > width };
}

function drawCone(parts, shown, scale) {
  const { state, standing, seen, fits, cell, paths } = shown;
  const { side, x, y, isWide } = scale;
  const box = (i, position) => {
    const role = marked("d2l-box", i ? "d2l-output" : "d2l-input", seen[i].includes(position) && "d2l-here");
    const rect = ["rect", { class: role, x: x(i, position), y: y(i), width: side, height: TALL }];
    const middle = { x: x(i, position) + side / 2, y: y(i) + TALL / 2 };
    return side < LEGIBLE ? [rect] : [rect, ["text", { class: "d2l-name", ...middle }, String(position)]];
  };
  const last = standing.length - 1;
  const rows = standing.map(({ n }, i) => {
    const own = fits && i === last ? 0 : n; // those of the last row can be chosen
    const boxes = Array.from({ length: own }, (_, position) => box(i, position)).flat();
    const title = ["text", { class: "d2l-side", x: GUTTER - 8, y: y(i) + TALL / 2 }, i ? `layer ${i}` : "input"];
    return ["g", {}, title, ...boxes]; // those of another row stay in their positions
  });
  const links = fits ? standing.slice(1).flatMap((row, i) => linksBetween(row, seen, i, scale)) : [];
  fill(parts.drawing, ["g", {}, ...links], ...rows);
  const reach = Math.min(Math.max(side, TOUCHED), standing[last].j * side); // of the area to hit
  const area = (position) => ["rect", { class: "d2l-area", x: x(last, position) + (side - reach) / 2, y: y(last), width: reach, height: TALL }];
  parts.choice.show(fits ? standing[last].n : 0, state.cell, (position) => [...box(last, position), area(position)]);
  const left = GUTTER + cell * standing[last].j * side;
  fill(parts.marks, ...(fits ? bars(standing[last].r, paths, left, y(0) + TALL, side) : []));
  const height = y(0) + TALL + (fits ? BARS + 34 : 4);
  dress(parts.svg, { class: marked("d2l-cone", isWide && "d2l-wide"), width: GUTTER + side * state.input_size + 2, height });
  if (fits && isWide) keepInView(parts.frame, x(last, state.cell), side);
}

/** Scroll to the chosen cell where it is out of sight. */
function keepInView(frame, left, side) {
  const { scrollLeft, clientWidth } = frame;
  if (left < scrollLeft || left + side > scrollLeft + clientWidth) frame.scrollLeft = left - (clientWidth - side) / 2;
}

/** Connect the marked cells of row i with those of the row above it. */
function linksBetween({ axes }, seen, i, { side, x, y }) {
  const [wide, narrow] = [seen[i], seen[i + 1]];
  const [top, bottom] = [y(i + 1) + TALL, y(i)];
  const [a, b] = [x(i + 1, narrow[0]), x(i + 1, narrow.at(-1)) + side];
  const [c, e] = [x(i, wide.at(-1)) + side, x(i, wide[0])];
  const lines = narrow.flatMap((position) =>
    windowCells(position, 0, axes).rows.map(
      (below) => `M${x(i + 1, position) + side / 2} ${top}L${x(i, below) + side / 2} ${bottom}`,
    ),
  );
  return [
    ["path", { class: "d2l-fan", d: `M${a} ${top}H${b}L${c} ${bottom}H${e}Z` }],
    ["path", { class: "d2l-paths", d: lines.join("") }],
  ];
}

/** Draw the bracket under the field, and how many of the paths lead to each of its cells. */
function bars(r, paths, left, top, side) {
  const [near, far] = [top + 3, top + 8];
  const bracket = `M${left + 1} ${near}V${far}H${left + r * side - 1}V${near}`;
  const [all, most] = [sum(paths), Math.max(...paths)];
  const base = far + 4 + BARS;
  const parts = [["path", { class: "d2l-bracket", d: bracket }]];
  paths.forEach((n, i) => {
    const height = (n / most) * BARS;
    const place = { x: left + i * side, width: side, y: base - height, height };
    if (n) parts.push(["rect", { class: "d2l-bar", ...place, "--shade": `${Math.round(15 + (85 * n) / most)}%` }]);
    const text = { class: "d2l-share", x: left + (i + 0.5) * side, y: base + 10 };
    if (side >= LEGIBLE) parts.push(["text", text, n ? percent(n / all) : "0"]);
  });
  parts.push(["path", { class: "d2l-base", d: `M${left} ${base}H${left + r * side}` }]);
  if (side >= LEGIBLE) parts.push(["text", { class: "d2l-side", x: GUTTER - 8, y: base + 10 }, "paths, %"]);
  return parts;
}

/** Write out the sum that gives the size of the field. */
function writeOut(formula, rows) {
  const terms = rows.slice(1).map(({ reach }, i) => {
    const term = number(`${reach - 1}·${rows[i].j}`, "kernel");
    return ["span", { class: "d2l-term" }, " + ", term];
  });
  fill(formula, "r = ", number(1, "input"), ...terms, " = ", number(rows.at(-1).r, "output"));
}

const cellsOf = ({ r, j }, cell) => `${counted(r, "input cell")}, ${cell * j} to ${cell * j + r - 1}`;

function explain(top, cell, paths) {
  const all = sum(paths);
  const used = paths.filter(Boolean).length;
  const [most, ends] = [Math.max(...paths), paths[0]].map((n) => `${percent(n / all)}%`);
  const start = `${cell}·${top.j} = ${cell * top.j}`;
  const where = `Output cell ${cell} sees ${cellsOf(top, cell)}: its field starts at ${start}.`;
  const gaps = used < top.r ? ` Only ${used} of them count, the others lie in gaps.` : "";
  const many = all === 1 ? "One path leads" : `${all.toLocaleString("en")} paths lead`;
  const share = top.r > 1 ? ` through the first cell ${ends}, through the strongest ${most}.` : "";
  return `${where}${gaps} ${many} down to the input${share ? `:${share}` : "."}`;
}

/** Say why a layer does not fit. */
function refuse(rows, wrong) {
  const below = wrong === 1 ? "the input" : `layer ${wrong - 1}`;
  return (
    `Layer ${wrong} does not fit: its kernel reaches over ${counted(rows[wrong].reach, "cell")}, ` +
    `but ${below} has only ${counted(rows[wrong - 1].n, "cell")}. ` +
    "Take more input cells, or smaller kernels, strides or dilations."
  );
}

/** Draw all of it; return what a screen reader says. */
function drawAll(parts, shown, width, complaint) {
  const { rows, wrong, fits, cell, paths } = shown;
  parts.table.show(rows);
  writeOut(parts.formula, rows);
  drawCone(parts, shown, scaleOf(shown, width));
  const text = fits ? explain(rows.at(-1), cell, paths) : refuse(rows, wrong);
  write(parts.note, complaint ? `${complaint} ${text}` : text);
  parts.note.classList.toggle("d2l-wrong", !fits || complaint !== "");
  const top = rows.at(-1);
  return complaint || (fits ? `output cell ${cell} of 0 to ${top.n - 1}: sees ${cellsOf(top, cell)}` : text);
}

/** Write what is shown as lines of PyTorch: with weights of 1, the gradient counts the paths. */
function code({ input_size: size, layers, depth, cell }) {
  const lines = layers.slice(0, depth).map(([k, s, d]) => `    nn.Conv1d(1, 1, ${k}, stride=${s}, dilation=${d}, bias=False),`);
  return [
    "import torch\nfrom torch import nn\n",
    ...["layers = nn.Sequential(", ...lines, ")", "for layer in layers:", "    nn.init.ones_(layer.weight)"],
    `X = torch.zeros(1, 1, ${size}, requires_grad=True)`,
    `layers(X)[0, 0, ${cell}].backward()`,
    "print(X.grad[0, 0])  # the number of paths from each input cell",
    "",
  ].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-field" });
  const pointer = makePointer(() => soon());
  let complaint = ""; // what is wrong with a setting that is being typed
  let width = 640; // of the view in pixels
  const parts = layOut(root, {
    edit: (layer, setting, value) => changeNumber(model, "layers", [layer, setting], value),
    complain(text) {
      if (text === complaint) return;
      complaint = text;
      soon();
    },
    point: pointer.move,
    pick(cell) {
      pointer.move(null); // even if it still rests on a cell
      change(model, { cell });
      soon();
    },
  });

  function draw(state, say) {
    const shown = compute(state, pointer.at);
    const said = drawAll(parts, shown, width, complaint);
    if (pointer.at === null) say(said);
  }

  const settings = ["depth", "input_size", "layers", "cell"];
  const { soon, stop } = frameFigure(model, root, { kinds: STATE, settings, draw, code });
  const stopFollowing = follow(model, pointer);
  const stopWatching = watchWidth(root, (now) => {
    width = now;
    soon();
  });
  el.append(root);
  return () => {
    stopWatching();
    stopFollowing();
    stop();
  };
}

export default { render };
