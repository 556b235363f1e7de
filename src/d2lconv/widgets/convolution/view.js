/** The view of convolution_explorer: input ⋆ kernel = output, and how one output cell comes about. */

import { checkReach, conv2d, convAxes, holds, outputsFedBy, range, toRows, toTensor, windowCells } from "../shared/geometry.js";
import { cellName, change, changeNumber, counted, equals, fill, largest, listen, make, makePointer } from "../shared/base.js";
import { marked, number, productTerm, same, short, sign, sizeOf, write } from "../shared/base.js";
import { asTensor, frameFigure, TORCH } from "../shared/frame.js";
import { Grid } from "../shared/grid.js";
import { readColours, watchTheme } from "../shared/maps.js";
import { between, flag, listOf, matrix, record, whole, words } from "../shared/state.js";
import { readOwn, readStored } from "./photograph.js";
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
  pictures: listOf(words, 0, 10),
  picture_index: whole(0, 9),
  ...{ stride: whole(1, 4), padding: whole(0, 4), dilation: whole(1, 3) },
};
const OPTIONS = ["stride", "padding", "dilation"];
const SETTINGS = [...OPTIONS, "input", "kernel", "input_index", "kernel_index", "position", "fill", "seconds", "picture_index"];
const SHADED = 7; // an input with more columns is shown as a picture
const DENSE = 6; // with more columns, padding included, cells are smaller

/** Convolve rows of numbers in float32, as PyTorch does. */
function correlate(X, K, options = {}) {
  const { data, shape } = toTensor([K]);
  return toRows(conv2d(toTensor([X]), { data, shape: [1, ...shape] }, null, options))[0];
}

const sizesOf = (X) => [X.length, X[0].length];

/** Count rows and columns of the output; 0 or fewer where there is none. */
function outputSizeOf({ input, kernel, stride, padding, dilation }) {
  const [sizes, kernels] = [input, kernel].map(sizesOf);
  return sizes.map((n, axis) => Math.floor((n + 2 * padding - dilation * (kernels[axis] - 1) - 1) / stride) + 1);
}

const outputSizeIn = (model) =>
  outputSizeOf(Object.fromEntries(["input", "kernel", ...OPTIONS].map((name) => [name, model.get(name)])));

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
  return listen(model, ["input", "kernel", ...OPTIONS], () => {
    const [rows, columns] = outputSizeIn(model);
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

/**
 * Hold the picture below the grids: the digit, a photograph of the course, or one of the reader's own, which stands
 * neither in the model nor in a link.
 */
function makeAlbum(model, late, changed) {
  const stored = new Map(); // pixels of photographs, by index; null while they are loaded
  let [own, isOwn, trouble, isNew] = [null, false, "", false];
  async function fetchStored(index) {
    try {
      stored.set(index, await readStored((await late("photographs"))[index - 1]));
      isNew = true;
    } catch (error) {
      trouble = `The photograph is missing: ${error.message}. Choose it again.`;
    }
    changed();
  }

  return {
    /** Return what is to be shown: null while it is loaded. */
    now({ image, pictures, picture_index: index }) {
      if (index && index >= pictures.length) throw new RangeError(`picture_index must be from 0 to ${pictures.length - 1}, got ${index}`);
      const chosen = { names: pictures, hasOwn: own !== null, index: isOwn ? null : index, trouble, isNew };
      isNew = false;
      if (isOwn) return { ...chosen, name: "your photograph", values: own };
      if (index && !stored.has(index)) {
        stored.set(index, null);
        fetchStored(index);
      }
      return { ...chosen, name: pictures[index], values: index ? stored.get(index) : image };
    },
    pick(index) {
      [isOwn, trouble, isNew] = [index === null, "", true];
      if (index && !stored.get(index)) stored.delete(index); // it is asked for again
      if (index !== null) change(model, { picture_index: index });
      changed();
    },
    async take(file) {
      try {
        own = await readOwn(file);
        [isOwn, trouble, isNew] = [true, "", true];
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        trouble = error.message;
      }
      changed();
    },
    forget: () => ([own, isOwn, trouble] = [null, false, ""]),
  };
}

// ---- layout ----

/** Build the elements. */
function layOut(root, album, { edit, point, pick, walk, play }) {
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
  const picture = makePicture(album);
  root.append(buttons, grids, note, formula, picture.element);
  return { player, grids, input, kernel, output, formula, note, picture };
}

// ---- from the state to what is shown ----

/** Work out what there is to show. */
function compute(state, at) {
  const { input: X, kernel: K, stride, padding, dilation } = state;
  checkReach(sizesOf(K), [dilation, dilation], sizesOf(X).map((size) => size + 2 * padding));
  const [rows, columns] = outputSizeOf(state);
  const axes = convAxes(sizesOf(X), sizesOf(K), { stride, padding, dilation });
  const position = Math.min(state.position, rows * columns - 1);
  const pinned = [Math.floor(position / columns), position % columns];
  const cell = at?.cell ?? pinned;
  const source = at?.source;
  const seen = windowCells(...cell, axes);
  const under = at?.weight ?? (source && [seen.rows.indexOf(source[0]), seen.cols.indexOf(source[1])]); // its weight
  const lit = under && K[under[0]]?.[under[1]] !== undefined ? under : null;
  const Y = correlate(X, K, { stride, padding, dilation });
  return {
    ...{ X, K, Y, pinned, cell, source, columns, lit, seen, padding },
    fed: source && outputsFedBy(...source, axes),
    filled: state.fill ? position + 1 : Infinity,
    isShaded: X[0].length > SHADED,
  };
}

/** Put zeros around rows of numbers. */
function pad(X, by) {
  const [height, width] = sizesOf(X);
  return range(height + 2 * by).map((row) => range(width + 2 * by).map((column) => X[row - by]?.[column - by] ?? 0));
}

function drawGrids(parts, { X, K, Y, pinned, cell, source, columns, seen, fed, filled, isShaded, lit, padding }) {
  const [brightest, strongest] = [largest(X), largest(Y)];
  parts.grids.classList.toggle("d2l-dense", X[0].length + 2 * padding > DENSE);
  parts.grids.classList.toggle("d2l-denser", X.length + 2 * padding > DENSE + 2);
  const padded = pad(X, padding);
  const isUnder = (r, c) => lit && r === seen.rows[lit[0]] && c === seen.cols[lit[1]];
  parts.input.show(padded, (row, column) => {
    const [r, c] = [row - padding, column - padding];
    const isZero = X[r]?.[c] === undefined;
    const marks = [holds(seen, r, c) && "d2l-here", isUnder(r, c) && "d2l-lit", same(source, [r, c]) && "d2l-source"];
    return {
      marks: marked(isZero && "d2l-around", ...marks),
      shade: isShaded && !isZero ? X[r][c] / brightest : null,
      fixed: isZero,
      label: isZero ? "Zero of the padding" : undefined,
    };
  });
  const name = `Input ${sizeOf(X)}${padding ? `, padding ${padding}` : ""}`;
  parts.input.name(name, name);
  parts.input.frame({ rows: seen.rows.map((row) => row + padding), cols: seen.cols.map((column) => column + padding) });
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
const feeding = (X, cell, { rows, cols }) =>
  `${X[cell[0]]?.[cell[1]] === undefined ? "This zero" : `Input ${cellName(...cell)}`} feeds ${counted(rows.length * cols.length, "output cell")}.`;

/** Write out the sum of products of one output cell, and return what a screen reader says. */
function writeOut(parts, { X, K, Y, cell, source, seen, fed, lit }) {
  const under = (u, v) => X[seen.rows[u]]?.[seen.cols[v]] ?? 0;
  const [row, column] = cell;
  const value = short(Y[row][column]);
  const terms = K.flatMap((line, u) =>
    line.map((k, v) => productTerm(under(u, v), k, u + v === 0, `${u},${v}`, same([u, v], lit))),
  );
  const products = K.flatMap((line, u) => line.flatMap((k, v) => [k, under(u, v)]));
  fill(parts.formula, ...terms, ` ${equals(...products, Y[row][column])} `, number(value, "output"));
  const fedBy = fed ? feeding(X, source, fed) : "";
  const product = lit && `${short(under(...lit))} · ${short(K[lit[0]][lit[1]])}`;
  const on = lit && (X[seen.rows[lit[0]]]?.[seen.cols[lit[1]]] === undefined ? "a zero" : `input ${cellName(seen.rows[lit[0]], seen.cols[lit[1]])}`);
  const weighed = lit && !fed ? `Weight ${cellName(...lit)} lies on ${on}: ${product}.` : "";
  write(parts.note, `${fedBy}${weighed} Output ${cellName(row, column)}:`.trim());
  return fedBy || weighed || `${cellName(row, column)}: output ${value}`;
}

/** Write what is shown as lines of PyTorch. */
function code(state) {
  const { input, kernel, position } = state;
  const columns = outputSizeOf(state)[1];
  const cell = `${Math.floor(position / columns)}, ${position % columns}`;
  const options = OPTIONS.map((name) => `, ${name}=${state[name]}`).join("");
  const call = `Y = F.conv2d(X[None, None], K[None, None]${options})[0, 0]`;
  return [TORCH, asTensor("X", input), asTensor("K", kernel), call, "print(Y)", `print(Y[${cell}])`, ""].join("\n");
}

function render({ model, el, late = async (name) => model.get(name) }) {
  const root = make("div", { class: "d2l-view d2l-convolution" });
  const album = makeAlbum(model, late, () => soon());
  let colours = null; // of the theme
  const pointer = makePointer(() => soon());
  const walk = (by) => go(Math.min(Math.max(model.get("position") + by, 0), model.get("last")));
  const parts = layOut(root, album, {
    edit(name, cell, value) {
      const by = name === "input" ? model.get("padding") : 0;
      changeNumber(model, name, cell.map((index) => index - by), value);
    },
    point(at) {
      const by = model.get("padding");
      pointer.move(at?.source ? { source: at.source.map((index) => index - by) } : at);
    },
    pick: ([row, column]) => go(row * outputSizeIn(model)[1] + column),
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
    const seen = drawPicture(state);
    if (!pointer.at?.cell && !player.isPlaying()) say(seen || said);
  }

  /** Show the picture and its feature map. @returns {string} what there is, if it was chosen just now */
  function drawPicture(state) {
    const { kernel, pictures } = state;
    parts.picture.element.hidden = !pictures.length;
    if (!pictures.length) return "";
    const { names, index, hasOwn, trouble, isNew, name, values } = album.now(state);
    parts.picture.offer(names, index, hasOwn);
    parts.picture.complain(trouble);
    if (!values || !sizesOf(values).every((size, axis) => size >= sizesOf(kernel)[axis])) return "";
    colours ??= readColours(root);
    const told = parts.picture.show(name, values, kernel, colours, () => correlate(values, kernel));
    return isNew ? told : "";
  }

  const { soon, stop } = frameFigure(model, root, {
    ...{ kinds: STATE, settings: SETTINGS, draw, code },
    isOwn: (name, state) => !state[`${name}_index`], // numbers that were chosen follow from the choice
    onReset() {
      player.pause();
      album.forget();
    },
  });
  const stopTheme = watchTheme(root, () => {
    colours = null;
    soon();
  });
  const stops = [followChoice(model, "input"), followChoice(model, "kernel"), followShapes(model), stop, stopTheme];
  el.append(root);
  return () => {
    player.pause();
    stops.forEach((end) => end());
  };
}

export default { render };
