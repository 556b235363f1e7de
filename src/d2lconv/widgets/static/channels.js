/** The view of channels_explorer: each input channel's part of one output channel, their sum, the 4-D kernel. */

import { conv2d, convAxes, parameterCount, windowCells } from "./geometry.js";
import { dress, factor, fill, make, makeVoice, marked, number, placeName, same, short, watch, write } from "./base.js";
import { makeGrid } from "./grid.js";

const LAYER = ["in_channels", "out_channels", "kernel_size", "groups"];
const TRAITS = [...LAYER, "input", "kernel", "bias", "use_bias", "shown", "cell"];
const MOST = 4; // channels

const SIGN = { class: "d2l-sign", "aria-hidden": "true" };

const range = (length) => [...Array(length).keys()];
const size = (matrix) => `${matrix.length}×${matrix[0].length}`;
const tight = (number) => (short(number).length > 2 ? "d2l-tight" : "");
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** Write parts and a bias as a sum: 4 + 7 − 2 + bias 1. */
function added(parts, bias) {
  const signed = (number) => `${number < 0 ? "−" : "+"} ${short(Math.abs(number))}`;
  const terms = parts.map((number, i) => (i ? signed(number) : short(number)));
  return [...terms, ...(bias === null ? [] : [`+ bias ${short(bias)}`])].join(" ");
}

/** Return the words of a list: 1, 2 and 3. */
const listed = (words) => [words.slice(0, -1).join(", "), words.at(-1)].filter(String).join(" and ");

/**
 * Compute the layer. Raises a RangeError where the groups do not divide the channels.
 * @returns {{weights: number, seen: number[][], slice: function(number, number): number[][], bias: ?number[],
 *   Y: number[][][], part: function(number, number): number[][]}} input channels that each output channel sees;
 *   the kernel between two channels; the outputs; what an input channel gives to an output channel
 */
function compute(model) {
  const [cIn, cOut, k, groups] = LAYER.map((name) => model.get(name));
  const weights = parameterCount(cIn, cOut, k, { groups, bias: false });
  const seen = range(cOut).map((o) =>
    range(cIn / groups).map((i) => Math.floor((o * groups) / cOut) * (cIn / groups) + i),
  );
  const slice = (o, i) => model.get("kernel")[o][i].slice(0, k).map((line) => line.slice(0, k));
  const bias = model.get("use_bias") ? model.get("bias").slice(0, cOut) : null;

  /** Convolve input channels with kernels [output][input], in float32 as PyTorch does. */
  function convolve(inputs, kernels, offsets, options) {
    const tensor = (values, shape) => ({ data: Float32Array.from(values.flat(3)), shape });
    const X = tensor(inputs, [inputs.length, inputs[0].length, inputs[0][0].length]);
    const W = tensor(kernels, [kernels.length, kernels[0].length, k, k]);
    const { data, shape } = conv2d(X, W, offsets && tensor(offsets, [offsets.length]), options);
    const [channels, height, width] = shape;
    const line = (at) => Array.from(data.subarray(at * width, (at + 1) * width));
    return range(channels).map((o) => range(height).map((row) => line(o * height + row)));
  }

  const input = model.get("input").slice(0, cIn);
  const kernels = seen.map((channels, o) => channels.map((i) => slice(o, i)));
  const Y = convolve(input, kernels, bias, { groups });
  return { weights, seen, slice, bias, Y, part: (o, i) => convolve([input[i]], [[slice(o, i)]], null)[0] };
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-channels" });
  const voice = makeVoice(model, root);
  let pointed = null; // output cell under the pointer
  let layer = null; // what was drawn last

  const sign = (text) => make("span", SIGN, text);
  const onPoint = (row, column) => point(row === null ? null : [row, column]);
  const rows = range(MOST).map((i) => {
    const input = makeGrid({
      title: `Input channel ${i + 1}`,
      role: "input",
      onEdit: (row, column, number) => edit("input", (values) => (values[i][row][column] = number)),
    });
    const kernel = makeGrid({
      title: `Kernel for input channel ${i + 1}`,
      role: "kernel",
      onEdit: (row, column, number) => edit("kernel", (values) => (values[shown()][i][row][column] = number)),
    });
    const part = makeGrid({ title: `Part of input channel ${i + 1}`, role: "output", onPoint });
    const unseen = make("span", { class: "d2l-unseen" });
    const seen = make("div", { class: "d2l-line" }, sign("⋆"), kernel.element, sign("="), part.element);
    const element = make("div", { class: "d2l-line" }, input.element, seen, unseen);
    return { input, kernel, part, seen, unseen, element };
  });
  const bias = makeGrid({
    title: "Bias",
    role: "kernel",
    onEdit: (row, column, number) => edit("bias", (values) => (values[shown()] = number)),
  });
  const output = makeGrid({ title: "Output", role: "output", onPoint, onPick: pin });
  const sum = make("span", { class: "d2l-sum" }, "Sum of all parts");
  const plus = make("div", { class: "d2l-line" }, sign("+"), bias.element);
  const total = make("div", { class: "d2l-line d2l-total" }, sum, plus, sign("="), output.element);
  const main = make("div", { class: "d2l-main" }, ...rows.map(({ element }) => element), total);

  const table = make("table", { class: "d2l-kernels", click: chooseLine });
  const scroll = make("div", { class: "d2l-scroll" }, table);
  const note = make("p", { class: "d2l-note" });
  const mix = make("div", { class: "d2l-mix", role: "img" });
  const formula = make("div", { class: "d2l-formula" });
  const side = make("div", { class: "d2l-side" }, scroll, note, mix, formula);
  const parts = make("div", { class: "d2l-row d2l-parts" }, main, side);
  const problem = make("p", { class: "d2l-impossible" });
  root.append(problem, parts, voice.element);
  el.append(root);

  const shown = () => Math.min(model.get("shown"), model.get("out_channels")) - 1;

  function edit(name, change) {
    const values = structuredClone(model.get(name));
    change(values);
    model.set(name, values);
    model.save_changes();
  }

  function point(cell) {
    if (same(cell, pointed)) return;
    pointed = cell;
    soon();
  }

  function pin(row, column) {
    pointed = null; // even if the pointer still rests on a cell
    model.set("cell", [row, column]);
    model.save_changes();
    soon();
  }

  function choose(channel) {
    model.set("shown", channel + 1);
    model.save_changes();
  }

  function chooseLine(event) {
    const line = event.target.closest("tbody tr");
    if (line) choose(line.sectionRowIndex);
  }

  /** Go to the last output channel where the one that was shown is gone. */
  function keepShown() {
    if (model.get("shown") > model.get("out_channels")) choose(model.get("out_channels") - 1);
  }

  function draw() {
    let now;
    try {
      now = compute(model);
      write(problem, "");
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const [cIn, cOut] = LAYER.map((name) => model.get(name));
      const possible = range(MOST + 1).filter((groups) => groups && !(cIn % groups) && !(cOut % groups));
      write(problem, `Not possible: ${error.message}. Possible: ${possible.join(", ")}.`);
      voice.say(problem.textContent);
    }
    parts.hidden = !now;
    if (!now) return;

    const o = shown();
    const Y = now.Y[o];
    const exists = ([row, column]) => row < Y.length && column < Y[0].length;
    const pinned = model.get("cell").map((place, axis) => Math.min(place, (axis ? Y[0] : Y).length - 1));
    const [row, column] = pointed && exists(pointed) ? pointed : pinned;
    const here = (r, c) => (r === row && c === column ? "d2l-here" : "");
    const terms = drawRows(now, o, row, column, here);
    const corner = (r, c) => (same([r, c], pinned) ? "d2l-pinned" : "");
    output.show(Y, (r, c) => ({ marks: marked(here(r, c), corner(r, c), tight(Y[r][c])) }), pinned);
    output.name(`Output ${o + 1}`, `Output channel ${o + 1}, ${size(Y)}`);
    plus.hidden = !now.bias;
    if (now.bias) bias.show([[now.bias[o]]], () => ({ marks: tight(now.bias[o]) }));
    bias.name("Bias", `Bias of output channel ${o + 1}`);

    drawTable(now, o);
    explainGroups(now, o);
    drawMix(now, o, row, column);
    const whole = added(terms.map(({ value }) => value), now.bias && now.bias[o]);
    writeOut(terms, whole, `Output ${o + 1}, ${placeName(row, column)}`, Y[row][column]);
    if (pointed) return;
    const shape = [model.get("out_channels"), now.seen[0].length, ...Array(2).fill(model.get("kernel_size"))];
    const kernel = same(shape, layer) ? "" : `kernel ${shape.join(" by ")}; `;
    layer = shape;
    voice.say(`${kernel}output channel ${o + 1}, ${placeName(row, column)}: ${whole} = ${short(Y[row][column])}`);
  }

  /** Draw a row for each input channel; return what each gives to the cell. */
  function drawRows(now, o, row, column, here) {
    const [X, k] = [model.get("input"), model.get("kernel_size")];
    const [height, width] = [X[0].length, X[0][0].length];
    const window = windowCells(row, column, convAxes([height, width], [k, k]));
    main.style.setProperty("--width", width);
    return rows.flatMap(({ input, kernel, part, seen, unseen, element }, i) => {
      element.hidden = i >= model.get("in_channels");
      if (element.hidden) return [];
      const used = now.seen[o].includes(i);
      const inside = (r, c) => used && window.rows.includes(r) && window.cols.includes(c);
      input.show(X[i], (r, c) => ({ marks: inside(r, c) ? "d2l-here" : "" }));
      input.name(`Input ${i + 1}`);
      element.classList.toggle("d2l-apart", !used);
      seen.hidden = !used;
      write(unseen, used ? "" : `No kernel: output ${o + 1} does not see input ${i + 1}.`);
      if (!used) return [];
      const [K, P] = [now.slice(o, i), now.part(o, i)];
      kernel.show(K, (r, c) => ({ marks: tight(K[r][c]) }));
      kernel.name("Kernel", `Kernel of output channel ${o + 1} for input channel ${i + 1}`);
      part.show(P, (r, c) => ({ marks: marked(here(r, c), tight(P[r][c])) }));
      part.name(`Part ${i + 1}`);
      const products = window.rows.flatMap((r, u) => window.cols.map((c, v) => [X[i][r][c], K[u][v]]));
      return [{ i, products, value: P[row][column] }];
    });
  }

  /** Lay out the kernel: a row for each output channel, a column for each input channel. */
  function drawTable(now, o) {
    const [cIn, cOut, k, groups] = LAYER.map((name) => model.get(name));
    const small = (K) => {
      const line = (numbers) => numbers.flatMap((number) => [["span", {}, short(number)], " "]);
      return ["td", {}, ["div", { class: "d2l-small" }, ...K.map((numbers) => ["div", {}, ...line(numbers)])]];
    };
    const none = ["td", { class: "d2l-none" }, ["div", {}, "none"]];
    const head = (text) => ["th", { scope: "col" }, text];
    const lines = range(cOut).map((channel) => {
      const isChosen = channel === o;
      const button = ["button", { type: "button", "aria-pressed": String(isChosen) }, `out ${channel + 1}`];
      const kernels = range(cIn).map((i) => (now.seen[channel].includes(i) ? small(now.slice(channel, i)) : none));
      const offset = now.bias ? [small([[now.bias[channel]]])] : [];
      return ["tr", { class: isChosen && "d2l-chosen" }, ["th", { scope: "row" }, button], ...kernels, ...offset];
    });
    const heads = [...range(cIn).map((i) => head(`in ${i + 1}`)), ...(now.bias ? [head("bias")] : [])];
    const shape = [cOut, cIn / groups, k, k].join(" × ");
    const caption = ["caption", {}, `Kernel ${shape}`];
    fill(table, caption, ["thead", {}, ["tr", {}, ["td", {}], ...heads]], ["tbody", {}, ...lines]);
  }

  /** Say how many numbers there are, and which kernels. */
  function explainGroups(now, o) {
    const [cIn, cOut, , groups] = LAYER.map((name) => model.get(name));
    const own = now.seen[o].map((i) => i + 1);
    const sees = `output ${o + 1} sees ${own.length > 1 ? "inputs" : "input"} ${listed(own)}`;
    const some = groups === cIn ? `Depthwise: ${sees} alone.` : `${groups} groups: ${sees}.`;
    const numbers = [count(now.weights, "weight"), ...(now.bias ? [count(cOut, "bias", "biases")] : [])].join(", ");
    write(note, `${numbers}. ${groups > 1 ? some : "Each output channel sees every input channel."}`);
  }

  /** With kernel size 1, show the kernel as a matrix that mixes the channels of the pixel. */
  function drawMix(now, o, row, column) {
    mix.hidden = model.get("kernel_size") > 1;
    if (mix.hidden) return;
    const matrix = (role, lines, chosen = -1) => {
      const cells = (line) => line.map((value) => ["span", {}, short(value)]);
      const drawn = lines.map((line, at) => ["div", { class: at === chosen && "d2l-chosen" }, ...cells(line)]);
      return ["div", { class: `d2l-bracket d2l-${role}` }, ...drawn];
    };
    const single = (value) => [value];
    const channels = range(model.get("in_channels"));
    const K = now.seen.map((seen, to) => channels.map((i) => (seen.includes(i) ? now.slice(to, i)[0][0] : 0)));
    const x = channels.map((i) => model.get("input")[i][row][column]);
    const y = now.Y.map((map) => map[row][column]);
    const offset = now.bias ? [["span", SIGN, "+"], matrix("kernel", now.bias.map(single), o)] : [];
    const product = [matrix("kernel", K, o), ["span", SIGN, "·"], matrix("input", x.map(single)), ...offset];
    fill(mix, ...product, ["span", SIGN, "="], matrix("output", y.map(single), o));
    const [before, after] = [x, y].map((values) => values.map(short).join(", "));
    dress(mix, { "aria-label": `The matrix mixes the pixel's channels: ${before} becomes ${after}` });
  }

  /** Write out the products of each channel, and the sum of the parts. */
  function writeOut(terms, whole, place, value) {
    const product = ([x, k], at) => {
      const factors = [number(factor(x), "input"), "·", number(factor(k), "kernel")];
      return ["span", { class: k ? "d2l-term" : "d2l-term d2l-zero" }, at ? " + " : "", ...factors];
    };
    const lines = terms.map((term) => [
      ...["p", {}, `Part ${term.i + 1}: `],
      ...[...term.products.map(product), " = ", ["b", {}, short(term.value)]],
    ]);
    fill(formula, ...lines, ["p", { class: "d2l-whole" }, `${place}: ${whole} = `, number(short(value), "output")]);
  }

  model.on("change:out_channels", keepShown);
  const { soon, stop } = watch(model, TRAITS, draw);
  draw();
  return () => {
    model.off("change:out_channels", keepShown);
    stop();
  };
}

export default { render };
