/** The view of channels_explorer: each input channel's share of one output channel, their sum, the 4-D kernel. */

import { conv2d, convAxes, fail, holds, range, toRows, toTensor, windowCells } from "../shared/geometry.js";
import { brief, cellName, change, changeNumber, counted, dress, equals, fill, listen, make } from "../shared/base.js";
import { factor, makePointer, marked, number, productTerm, same, short, sign, sizeOf, write } from "../shared/base.js";
import { asTensor, frameFigure, TORCH } from "../shared/frame.js";
import { Grid } from "../shared/grid.js";
import { finite, flag, listOf, matrix, whole } from "../shared/state.js";

const MOST = 4; // channels
const STATE = {
  in_channels: whole(1, MOST),
  out_channels: whole(1, MOST),
  kernel_size: whole(1, 3),
  groups: whole(1, MOST),
  input: listOf(matrix(5, 3), MOST),
  kernel: listOf(listOf(matrix(3, 3), MOST), MOST),
  bias: listOf(finite, MOST),
  use_bias: flag,
  channel: whole(0, MOST - 1),
  cell: listOf(whole(0, 4), 2),
};

const tight = (value) => brief(value).length === 3 && "d2l-tight";

/** Write numbers and a bias as a sum: 4 + 7 − 2 + bias 1. */
function writeSum(numbers, bias) {
  const signed = (value) => `${value < 0 ? "−" : "+"} ${short(Math.abs(value))}`;
  const terms = numbers.map((value, i) => (i ? signed(value) : short(value)));
  return [...terms, ...(bias === null ? [] : [`+ bias ${factor(bias)}`])].join(" ");
}

/** Return the words of a list: 0, 1 and 2. */
const listed = (items) => [items.slice(0, -1).join(", "), items.at(-1)].filter(String).join(" and ");

// ---- from the state to what is shown ----

/** List the numbers of groups that the channels can be divided into. */
const possibleGroups = (cIn, cOut) => range(MOST + 1).filter((some) => some && cIn % some === 0 && cOut % some === 0);

/**
 * Groups that are impossible become possible: the next number in the direction of the change, or else the nearest.
 * @param {function(string): void} told why
 */
function followGroups(model, told) {
  let before = model.get("groups");
  let isBusy = false; // while it sets them itself
  return listen(model, ["in_channels", "out_channels", "groups"], () => {
    if (isBusy) return;
    const [cIn, cOut, groups] = ["in_channels", "out_channels", "groups"].map((name) => model.get(name));
    const possible = possibleGroups(cIn, cOut);
    const isUp = groups > before;
    const next = (isUp ? possible.find((some) => some >= groups) : null) ?? possible.findLast((some) => some <= groups) ?? 1;
    before = next;
    const rule = `Groups divide both numbers of channels, ${cIn} and ${cOut}: ${possible.length > 1 ? "" : "only "}`;
    told(next === groups ? "" : `${rule}${listed(possible.map(String))} can be chosen. `);
    isBusy = true;
    if (next !== groups) change(model, { groups: next });
    isBusy = false;
  });
}

/** Convolve input channels with kernels [output][input], in float32 as PyTorch does. */
function convolve(inputs, kernels, bias, groups) {
  const { data, shape } = toTensor(kernels.flat());
  const weight = { data, shape: [kernels.length, kernels[0].length, ...shape.slice(1)] };
  return toRows(conv2d(toTensor(inputs), weight, bias && { data: Float32Array.from(bias) }, { groups }));
}

/**
 * Compute the layer: the input channels that each output channel sees, their kernels and the outputs.
 * @returns {{seen: number[][], kernelOf: function(number, number): number[][], bias: ?number[], Y: number[][][],
 *   shape: number[]}} kernelOf: the kernel between an output and an input channel; shape: of the whole kernel
 */
function computeLayer({ in_channels: cIn, out_channels: cOut, kernel_size: k, groups, ...state }) {
  const perGroup = cIn / groups;
  const seen = range(cOut).map((o) => range(perGroup).map((i) => Math.floor((o * groups) / cOut) * perGroup + i));
  const kernelOf = (o, i) => state.kernel[o][i].slice(0, k).map((line) => line.slice(0, k));
  const bias = state.use_bias ? state.bias.slice(0, cOut) : null;
  const kernels = seen.map((channels, o) => channels.map((i) => kernelOf(o, i)));
  const Y = convolve(state.input.slice(0, cIn), kernels, bias, groups);
  return { seen, kernelOf, bias, Y, shape: [cOut, perGroup, k, k] };
}

/** Work out what there is to show of one output channel and one cell. */
function compute(state, pointed) {
  const layer = computeLayer(state);
  const o = Math.min(state.channel, state.out_channels - 1);
  const size = [layer.Y[o].length, layer.Y[o][0].length];
  const pinned = state.cell.map((index, axis) => Math.min(index, size[axis] - 1));
  const cell = pointed?.every((index, axis) => index < size[axis]) ? pointed : pinned;
  const [height, width] = [state.input[0].length, state.input[0][0].length];
  const seen = windowCells(...cell, convAxes([height, width], state.kernel_size));
  const shares = layer.seen[o].map((i) => {
    const [X, K] = [state.input[i], layer.kernelOf(o, i)];
    const share = convolve([X], [[K]], null, 1)[0];
    const products = seen.rows.flatMap((r, u) => seen.cols.map((c, v) => [X[r][c], K[u][v]]));
    return { i, K, share, products, value: share[cell[0]][cell[1]] };
  });
  const bias = layer.bias && layer.bias[o];
  const sum = writeSum(shares.map(({ value }) => value), bias);
  return { state, layer, o, pinned, cell, seen, shares, bias, sum, value: layer.Y[o][cell[0]][cell[1]] };
}

// ---- layout ----

function makeChannel(i, edit, point) {
  const input = new Grid({
    title: `Input channel ${i}`,
    role: "input",
    onEdit: (cell, value) => edit("input", [i, ...cell], value),
  });
  const kernel = new Grid({
    title: `Kernel for input channel ${i}`,
    role: "kernel",
    onEdit: (cell, value) => edit("kernel", [null, i, ...cell], value),
  });
  const share = new Grid({ title: `Part of input channel ${i}`, role: "output", onPoint: point });
  const unseen = make("span", { class: "d2l-unseen" });
  const seen = make("div", { class: "d2l-line" }, sign("⋆"), kernel.element, sign("="), share.element);
  const element = make("div", { class: "d2l-line" }, input.element, seen, unseen);
  return { input, kernel, share, seen, unseen, element };
}

function layOut(root, { edit, point, pick, choose }) {
  const rows = range(MOST).map((i) => makeChannel(i, edit, point));
  const bias = new Grid({ title: "Bias", role: "kernel", onEdit: (_, value) => edit("bias", [null], value) });
  const output = new Grid({ title: "Output", role: "output", onPoint: point, onPick: pick });
  const sum = make("span", { class: "d2l-sum" }, "Sum of all parts");
  const plus = make("div", { class: "d2l-line" }, sign("+"), bias.element);
  const total = make("div", { class: "d2l-line d2l-total" }, sum, plus, sign("="), output.element);
  const main = make("div", { class: "d2l-main" }, ...rows.map(({ element }) => element), total);

  const table = make("table", {
    class: "d2l-kernels",
    click(event) {
      const line = event.target.closest("tbody tr");
      if (line) choose(line.sectionRowIndex);
    },
  });
  const note = make("p", { class: "d2l-note" });
  const mix = make("div", { class: "d2l-mix", role: "img" });
  const formula = make("div", { class: "d2l-formula" });
  const side = make("div", { class: "d2l-side" }, make("div", { class: "d2l-scroll" }, table), note, mix, formula);
  const figure = make("div", { class: "d2l-row d2l-parts" }, main, side);
  root.append(figure);
  return { rows, bias, output, plus, main, table, note, mix, formula };
}

// ---- draw ----

/** Draw a row for each input channel: its numbers, its kernel, and its share of the output. */
function drawRows(parts, { state, o, cell, seen, shares }) {
  parts.main.style.setProperty("--width", state.input[0][0].length);
  parts.main.classList.toggle("d2l-several", state.in_channels > 2);
  const here = (r, c) => same([r, c], cell) && "d2l-here";
  parts.rows.forEach((row, i) => {
    row.element.hidden = i >= state.in_channels;
    if (row.element.hidden) return;
    const own = shares.find((share) => share.i === i);
    row.input.show(state.input[i], (r, c) => ({ marks: own && holds(seen, r, c) ? "d2l-here" : "" }));
    row.input.frame(own && seen);
    row.input.name(`Input ${i}`);
    row.element.classList.toggle("d2l-apart", !own);
    row.seen.hidden = !own;
    write(row.unseen, own ? "" : `No kernel: output ${o} does not see input ${i}.`);
    if (!own) return;
    row.kernel.show(own.K, (r, c) => ({ marks: tight(own.K[r][c]) }));
    row.kernel.name("Kernel", `Kernel of output channel ${o} for input channel ${i}`);
    row.share.show(own.share, (r, c) => ({ marks: marked(here(r, c), tight(own.share[r][c])) }));
    row.share.name(`Part ${i}`);
  });
}

/** Draw the sum of all: the bias and the output. */
function drawOutput(parts, { layer, o, cell, pinned, bias }) {
  const Y = layer.Y[o];
  const paint = (r, c) => {
    const marks = [same([r, c], cell) && "d2l-here", same([r, c], pinned) && "d2l-pinned", tight(Y[r][c])];
    return { marks: marked(...marks) };
  };
  parts.output.show(Y, paint, pinned);
  parts.output.name(`Output ${o}`, `Output channel ${o}, ${sizeOf(Y)}`);
  parts.plus.hidden = bias === null;
  if (bias !== null) parts.bias.show([[bias]], () => ({ marks: marked(tight(bias)) }));
  parts.bias.name("Bias", `Bias of output channel ${o}`);
}

/** Lay out the kernel: a row for each output channel, a column for each input channel. */
function drawTable(table, { state, layer, o }) {
  const small = (K) => {
    const line = (numbers) => numbers.flatMap((value) => [["span", {}, brief(value)], " "]);
    return ["td", {}, ["div", { class: "d2l-small" }, ...K.map((numbers) => ["div", {}, ...line(numbers)])]];
  };
  const none = ["td", { class: "d2l-none" }, ["div", {}, "none"]];
  const head = (text) => ["th", { scope: "col" }, text];
  const inputs = range(state.in_channels);
  const lines = range(state.out_channels).map((channel) => {
    const isChosen = channel === o;
    const button = ["button", { type: "button", "aria-pressed": String(isChosen) }, `out ${channel}`];
    const kernels = inputs.map((i) => (layer.seen[channel].includes(i) ? small(layer.kernelOf(channel, i)) : none));
    const offset = layer.bias ? [small([[layer.bias[channel]]])] : [];
    return ["tr", { class: isChosen && "d2l-chosen" }, ["th", { scope: "row" }, button], ...kernels, ...offset];
  });
  const heads = [...inputs.map((i) => head(`in ${i}`)), ...(layer.bias ? [head("bias")] : [])];
  const caption = ["caption", {}, `Kernel ${layer.shape.join(" × ")}`];
  fill(table, caption, ["thead", {}, ["tr", {}, ["td", {}], ...heads]], ["tbody", {}, ...lines]);
}

/** Say how many numbers there are, and which kernels. */
function explain(note, { state, layer, o, why }) {
  const own = layer.seen[o].map(String);
  const sees = `output ${o} sees ${own.length > 1 ? "inputs" : "input"} ${listed(own)}`;
  const some = state.groups === state.in_channels ? `Depthwise: ${sees} alone.` : `${state.groups} groups: ${sees}.`;
  const weights = counted(layer.shape.reduce((a, b) => a * b), "weight");
  const numbers = layer.bias ? `${weights}, ${counted(state.out_channels, "bias", "biases")}` : weights;
  write(note, `${why}${numbers}. ${state.groups > 1 ? some : "Each output channel sees every input channel."}`);
}

/** With kernel size 1, show the kernel as a matrix that mixes the channels of the pixel. */
function drawMix(mix, { state, layer, o, cell: [row, column] }) {
  mix.hidden = state.kernel_size > 1;
  if (mix.hidden) return;
  const matrixOf = (role, lines, chosen = -1) => {
    const cells = (line) => line.map((value) => ["span", {}, brief(value)]);
    const drawn = lines.map((line, at) => ["div", { class: at === chosen && "d2l-chosen" }, ...cells(line)]);
    return ["div", { class: `d2l-bracket d2l-${role}` }, ...drawn];
  };
  const signed = (text) => ["span", { class: "d2l-sign", "aria-hidden": "true" }, text];
  const asColumn = (values) => values.map((value) => [value]);
  const inputs = range(state.in_channels);
  const K = layer.seen.map((seen, to) => inputs.map((i) => (seen.includes(i) ? layer.kernelOf(to, i)[0][0] : 0)));
  const x = inputs.map((i) => state.input[i][row][column]);
  const y = layer.Y.map((map) => map[row][column]);
  const offset = layer.bias ? [signed("+"), matrixOf("kernel", asColumn(layer.bias), o)] : [];
  const product = [matrixOf("kernel", K, o), signed("·"), matrixOf("input", asColumn(x)), ...offset];
  fill(mix, ...product, signed("="), matrixOf("output", asColumn(y), o));
  const [before, after] = [x, y].map((values) => values.map(short).join(", "));
  dress(mix, { "aria-label": `The matrix mixes the pixel's channels: ${before} becomes ${after}` });
}

/** Write out the products of each channel, and the sum of the shares. */
function writeOut(formula, { o, cell, shares, bias, sum, value }) {
  const lines = shares.map((share) => [
    ...["p", {}, `Part ${share.i}: `],
    ...share.products.map(([x, k], at) => productTerm(x, k, at === 0)),
    ...[` ${equals(...share.products.flat(), share.value)} `, ["b", {}, short(share.value)]],
  ]);
  const whole = `Output ${o}, ${cellName(...cell)}: ${sum} ${equals(...shares.map((share) => share.value), bias ?? 0, value)} `;
  fill(formula, ...lines, ["p", { class: "d2l-whole" }, whole, number(short(value), "output")]);
}

/** Draw all of it; return what a screen reader says. */
function drawAll(parts, shown) {
  drawRows(parts, shown);
  drawOutput(parts, shown);
  drawTable(parts.table, shown);
  explain(parts.note, shown);
  drawMix(parts.mix, shown);
  writeOut(parts.formula, shown);
  return `output channel ${shown.o}, ${cellName(...shown.cell)}: ${shown.sum} = ${short(shown.value)}`;
}

/** Write what is shown as lines of PyTorch. */
function code(state) {
  const { seen, kernelOf, bias } = computeLayer(state);
  const weight = asTensor("weight", seen.map((channels, o) => channels.map((i) => kernelOf(o, i))));
  const given = bias ? [asTensor("bias", bias)] : [];
  const call = `Y = F.conv2d(X[None], weight, ${bias ? "bias, " : ""}groups=${state.groups})[0]`;
  const print = `print(Y[${Math.min(state.channel, seen.length - 1)}])`;
  return [TORCH, asTensor("X", state.input.slice(0, state.in_channels)), weight, ...given, call, print, ""].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-channels" });
  const pointer = makePointer(() => soon());
  const shown = () => Math.min(model.get("channel"), model.get("out_channels") - 1);
  const choose = (channel) => change(model, { channel });
  const parts = layOut(root, {
    edit: (name, path, value) => changeNumber(model, name, path.map((index) => index ?? shown()), value),
    point: pointer.move,
    pick(cell) {
      pointer.move(null); // even if it still rests on a cell
      change(model, { cell });
      soon();
    },
    choose,
  });
  let said = null; // the shape of the kernel that was said last
  let why = ""; // the groups are not those that were asked for

  function draw(state, say) {
    const { in_channels: cIn, out_channels: cOut, groups } = state;
    if (cIn % groups || cOut % groups) fail(`${groups} groups do not divide ${cIn} input and ${cOut} output channels`);
    const shown = { ...compute(state, pointer.at), why };
    const text = drawAll(parts, shown);
    if (pointer.at) return;
    const kernel = same(shown.layer.shape, said) ? "" : `kernel ${shown.layer.shape.join(" by ")}; `;
    said = shown.layer.shape;
    say(`${why}${kernel}${text}`);
  }

  const { soon, stop } = frameFigure(model, root, { kinds: STATE, draw, code, onReset: () => (why = "") });
  const stopGroups = followGroups(model, (text) => (why = text));
  const unlisten = listen(model, ["out_channels"], () => {
    const last_channel = model.get("out_channels") - 1;
    change(model, { channel: Math.min(model.get("channel"), last_channel), last_channel });
  });
  el.append(root);
  return () => {
    unlisten();
    stopGroups();
    stop();
  };
}

export default { render };
