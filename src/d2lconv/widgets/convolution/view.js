/** The view of convolution_explorer: input ⋆ kernel = output, and how one output cell comes about. */

import { conv2d, convAxes, holds, outputsFedBy, toRows, toTensor, windowCells } from "../shared/geometry.js";
import { cellName, change, changeNumber, counted, equals, fill, largest, listen, make, makePointer } from "../shared/base.js";
import { marked, number, productTerm, same, short, sign, sizeOf, write } from "../shared/base.js";
import { asTensor, frameFigure, TORCH } from "../shared/frame.js";
import { Grid } from "../shared/grid.js";
import { between, flag, listOf, matrix, record, whole, words } from "../shared/state.js";
import { makePicture } from "./picture.js";

const INPUT = matrix(12);
const KERNEL = matrix(7);
const STATE = {
  input: INPUT,
  kernel: KERNEL,
  inputs: listOf(record({ name: words, values: INPUT }), 0, 20),
  kernels: listOf(record({ name: words, values: KERNEL }), 0, 20),
  input_index: whole(0, 19),
  kernel_index: whole(0, 19),
  position: whole(0, 143),
  last: whole(0, 143),
  fill: flag,
  seconds: between(0.1, 5),
  image: matrix(32),
};
const SETTINGS = ["input", "kernel", "input_index", "kernel_index", "position", "fill", "seconds"];
const SHADED = 6; // an input with more columns is shown as a picture

/** Convolve rows of numbers in float32, as PyTorch does. */
function correlate(X, K) {
  const { data, shape } = toTensor([K]);
  return toRows(conv2d(toTensor([X]), { data, shape: [1, ...shape] }))[0];
}

const outputSizeOf = (X, K) => [X.length - K.length + 1, X[0].length - K[0].length + 1];

// ---- traits that follow from others ----

/** Keep the choice of a preset and the numbers in step: numbers that are typed are the reader's own. */
function followChoice(model, name) {
  const index = `${name}_index`;
  const choices = model.get(`${name}s`);
  let own = model.get(name);
  const chosen = () => (model.get(index) ? choices[model.get(index)]?.values : own);
  if (!same(own, chosen())) own = choices[0]?.values ?? own;
  const stops = [
    listen(model, [name], () => {
      if (same(model.get(name), chosen())) return;
      own = model.get(name);
      change(model, { [index]: 0 });
    }),
    listen(model, [index], () => {
      if (chosen() && !same(model.get(name), chosen())) change(model, { [name]: chosen() });
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

/** The number of the last position follows the shapes; a position that no longer exists becomes the last. */
function followShapes(model) {
  return listen(model, ["input", "kernel"], () => {
    const [rows, columns] = outputSizeOf(model.get("input"), model.get("kernel"));
    const last = Math.max(rows, 0) * Math.max(columns, 0) - 1;
    if (last < 0 || last === model.get("last")) return;
    change(model, { position: Math.min(model.get("position"), last), last });
  });
}

/** Walk through the output by itself, cell by cell, until the last. */
function makePlayer(model, button, told) {
  let timer = 0;
  const later = () => (timer = setTimeout(tick, 1000 * model.get("seconds")));
  const player = { isPlaying: () => timer !== 0, start, pause };

  function start() {
    const isAtEnd = !model.get("fill") || model.get("position") === model.get("last");
    change(model, { position: isAtEnd ? 0 : model.get("position"), fill: true });
    button.textContent = "Pause";
    later();
  }

  function tick() {
    later();
    change(model, { position: Math.min(model.get("position") + 1, model.get("last")) });
    if (model.get("position") === model.get("last")) pause();
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
    button.textContent = "Play";
    told();
  }

  return player;
}

// ---- layout ----

/** Build the elements. */
function layOut(root, { edit, point, pick, walk, play }) {
  const pointAtWeight = (weight) => point(weight && { weight });
  const make3 = (text, click) => make("button", { type: "button", click }, text);
  const player = make3("Play", play);
  const buttons = make("div", { class: "d2l-buttons" }, make3("Back", () => walk(-1)), player, make3("Step", () => walk(1)));
  const input = new Grid({
    title: "Input",
    role: "input",
    onEdit: (cell, value) => edit("input", cell, value),
    onPoint: (cell) => point(cell && { source: cell }),
  });
  const kernel = new Grid({
    title: "Kernel",
    role: "kernel",
    onEdit: (cell, value) => edit("kernel", cell, value),
    onPoint: pointAtWeight,
  });
  const output = new Grid({
    title: "Output",
    role: "output",
    onPoint: (cell) => point(cell && { cell }),
    onPick: pick,
  });
  const after = (text, grid) => make("div", { class: "d2l-row d2l-pair" }, sign(text), grid.element);
  const rest = make("div", { class: "d2l-row d2l-pair" }, after("⋆", kernel), after("=", output));
  const grids = make("div", { class: "d2l-row" }, input.element, rest);
  const formula = make("p", {
    class: "d2l-formula",
    pointerover: ({ target }) => pointAtWeight(target.closest("[data-term]")?.dataset.term.split(",").map(Number) ?? null),
    pointerleave: () => point(null),
  });
  const note = make("p", { class: "d2l-note" });
  const picture = makePicture("A digit", "Its feature map");
  root.append(buttons, grids, note, formula, picture.element);
  return { player, grids, input, kernel, output, formula, note, picture };
}

// ---- from the state to what is shown ----

/** Work out what there is to show. */
function compute(state, at) {
  const { input: X, kernel: K } = state;
  const [rows, columns] = outputSizeOf(X, K);
  if (rows < 1 || columns < 1) throw new RangeError(`a kernel of ${sizeOf(K)} does not fit into ${sizeOf(X)} cells`);
  const axes = convAxes([X.length, X[0].length], [K.length, K[0].length]);
  const position = Math.min(state.position, rows * columns - 1);
  const pinned = [Math.floor(position / columns), position % columns];
  const cell = at?.cell ?? pinned;
  const source = at?.source;
  const under = at?.weight ?? source?.map((index, axis) => index - cell[axis]); // the weight that lies on it
  const lit = under && K[under[0]]?.[under[1]] !== undefined ? under : null;
  return {
    ...{ X, K, Y: correlate(X, K), pinned, cell, source, columns, lit },
    seen: windowCells(...cell, axes),
    fed: source && outputsFedBy(...source, axes),
    filled: state.fill ? position + 1 : Infinity,
    isShaded: X[0].length > SHADED,
  };
}

function drawGrids(parts, { X, K, Y, pinned, cell, source, columns, seen, fed, filled, isShaded, lit }) {
  const [brightest, strongest] = [largest(X), largest(Y)];
  parts.grids.classList.toggle("d2l-dense", isShaded);
  const isUnder = (r, c) => same([r - cell[0], c - cell[1]], lit);
  parts.input.show(X, (r, c) => ({
    marks: marked(holds(seen, r, c) && "d2l-here", isUnder(r, c) && "d2l-lit", same(source, [r, c]) && "d2l-source"),
    shade: isShaded ? X[r][c] / brightest : null,
  }));
  parts.input.frame(seen);
  parts.kernel.show(K, (u, v) => ({ marks: same([u, v], lit) ? "d2l-lit" : "" }));
  const paint = (r, c) => {
    const isLater = r * columns + c >= filled;
    const isHere = fed ? holds(fed, r, c) : same(cell, [r, c]);
    return {
      marks: marked(isHere && (fed ? "d2l-fed" : "d2l-here"), !fed && same([r, c], pinned) && "d2l-pinned"),
      shade: isShaded && !isLater ? Y[r][c] / strongest : null,
      hidden: isLater && !(isHere && !fed),
    };
  };
  parts.output.show(Y, paint, pinned);
}

/** Say which outputs an input cell feeds. */
const feeding = (cell, { rows, cols }) =>
  `Input ${cellName(...cell)} feeds ${counted(rows.length * cols.length, "output cell")}.`;

/** Write out the sum of products of one output cell, and return what a screen reader says. */
function writeOut(parts, { X, K, Y, cell, source, seen, fed, lit }) {
  const [row, column] = cell;
  const value = short(Y[row][column]);
  const terms = K.flatMap((line, u) =>
    line.map((k, v) => productTerm(X[seen.rows[u]][seen.cols[v]], k, u + v === 0, `${u},${v}`, same([u, v], lit))),
  );
  const products = K.flatMap((line, u) => line.flatMap((k, v) => [k, X[seen.rows[u]][seen.cols[v]]]));
  fill(parts.formula, ...terms, ` ${equals(...products, Y[row][column])} `, number(value, "output"));
  const fedBy = fed ? feeding(source, fed) : "";
  const product = lit && `${short(X[row + lit[0]][column + lit[1]])} · ${short(K[lit[0]][lit[1]])}`;
  const weighed = lit && !fed ? `Weight ${cellName(...lit)} lies on input ${cellName(row + lit[0], column + lit[1])}: ${product}.` : "";
  write(parts.note, `${fedBy}${weighed} Output ${cellName(row, column)}:`.trim());
  return fedBy || weighed || `${cellName(row, column)}: output ${value}`;
}

/** Write what is shown as lines of PyTorch. */
function code({ input, kernel, position }) {
  const columns = outputSizeOf(input, kernel)[1];
  const cell = `${Math.floor(position / columns)}, ${position % columns}`;
  const call = "Y = F.conv2d(X[None, None], K[None, None])[0, 0]";
  return [TORCH, asTensor("X", input), asTensor("K", kernel), call, "print(Y)", `print(Y[${cell}])`, ""].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view" });
  const pointer = makePointer(() => soon());
  const walk = (by) => go(Math.min(Math.max(model.get("position") + by, 0), model.get("last")));
  const parts = layOut(root, {
    edit: (name, cell, value) => changeNumber(model, name, cell, value),
    point: pointer.move,
    pick: ([row, column]) => go(row * outputSizeOf(model.get("input"), model.get("kernel"))[1] + column),
    walk,
    play: () => (player.isPlaying() ? player.pause() : player.start()),
  });
  const player = makePlayer(model, parts.player, () => soon());

  function go(position) {
    if (player.isPlaying()) player.pause();
    pointer.move(null); // even if it still rests on a cell
    change(model, { position });
    soon();
  }

  function draw(state, say) {
    const shown = compute(state, pointer.at);
    drawGrids(parts, shown);
    const said = writeOut(parts, shown);
    if (!pointer.at?.cell && !player.isPlaying()) say(said);
    const { image, kernel } = state;
    if (Math.min(...outputSizeOf(image, kernel)) > 0) parts.picture.show(image, kernel, () => correlate(image, kernel));
  }

  const { soon, stop } = frameFigure(model, root, {
    ...{ kinds: STATE, settings: SETTINGS, draw, code },
    isOwn: (name, state) => !state[`${name}_index`], // numbers that were chosen follow from the choice
    onReset: () => player.pause(),
  });
  const stops = [followChoice(model, "input"), followChoice(model, "kernel"), followShapes(model), stop];
  el.append(root);
  return () => {
    player.pause();
    stops.forEach((end) => end());
  };
}

export default { render };
