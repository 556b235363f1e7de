/** The view of feature_map_explorer: an image on its path through a network, layer by layer and channel by channel. */

import { cellName, change, counted, dress, equals, factor, fill, make, makePointer, number } from "../shared/base.js";
import { same, scaleEnds, short, write } from "../shared/base.js";
import { frameFigure } from "../shared/frame.js";
import { makeMap, readColours, watchTheme } from "../shared/maps.js";
import { makeChoices } from "./choices.js";
import { listOf, readState, whole, words } from "../shared/state.js";
import { ACTIVATIONS, cellSeeing, channelOf, contributions, fieldThrough, LAYER, middleOf } from "./network.js";
import { moved, PACKED, pooled, prepare, runAll, sides, unpack, valueAt } from "./network.js";

const KEYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const STRONGEST = 8; // input channels that are listed
const NAMES = { relu: "ReLU", sigmoid: "sigmoid", tanh: "tanh", max: "max", avg: "mean" };
const NETWORK = { layers: listOf(LAYER, 1, 100), images: PACKED, classes: listOf(words, 0, 20) };

/** Return the largest distance from zero, and the smallest and largest number. */
function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  return { limit: Math.max(-low, high) || 1, low, high };
}

const shapeText = ([channels, height, width]) => `${channels}×${height}×${width}`;
const makeCaption = (text = "") => make("div", { class: "d2l-caption" }, text);
const indexOfBest = (values) => values.indexOf(Math.max(...values));

/** Turn scores into probabilities. */
function softmax(scores) {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// ---- from the state to what is shown ----

/** Read the network, once: it does not change. */
function readNetwork(model) {
  const { layers: packed, images: given, classes } = readState(model, NETWORK);
  const [layers, images] = [prepare(packed), unpack(given)];
  const depth = layers.findIndex(({ kind }) => kind === "flatten");
  const walk = depth < 0 ? layers : layers.slice(0, depth);
  if (!walk.length || walk.some(({ shape }) => shape.length !== 3) || images.shape.length !== 4) {
    throw new RangeError("layers must begin with one that gives feature maps, and images must be a stack of them");
  }
  const fields = walk.map((_, i) => fieldThrough(walk.slice(0, i + 1))); // of the image
  return { layers, images, classes, walk, fields, size: images.shape.slice(1), brightest: extent(images.data).limit };
}

/** What the traits may be that change. */
function kindsFor({ images, walk, size: [, height, width] }) {
  const pixel = listOf(whole(0, Math.max(height, width) - 1), 2);
  return {
    image_index: whole(0, images.shape[0] - 1),
    layer: whole(1, walk.length),
    channel: whole(0, Math.max(...walk.map(({ shape }) => shape[0])) - 1),
    place: { ...pixel, allows: (value) => pixel.allows(value) && value[0] < height && value[1] < width },
    right: whole(-4, 4),
    down: whole(-4, 4),
  };
}

/** Make a function that runs the network, once for an image and a shift. */
function makeRunner({ layers, images }) {
  let [key, outputs] = [null, []];
  return ({ image_index: index, right, down }) => {
    if (!same(key, [index, right, down])) outputs = runAll(layers, moved(images, index, right, down));
    key = [index, right, down];
    return outputs;
  };
}

/** Return the cell that is explained, and its channel: the chosen ones. */
const chosenCell = ({ walk, fields }, { layer, channel, place }) => ({
  channel: Math.min(channel, walk[layer - 1].shape[0] - 1),
  cell: cellSeeing(fields[layer - 1], place, walk[layer - 1].shape),
});

/** Work out what there is to show of one cell of one layer. */
function compute(network, state, outputs, at) {
  const { layer } = state;
  const own = network.walk[layer - 1];
  const chosen = chosenCell(network, state);
  const { channel, cell } = at?.maps === layer ? at : chosen;
  const [X, Y] = [outputs[layer - 1], outputs[layer]];
  const found = own.groups ? contributions(own, X, channel, cell) : [];
  const scores = network.classes.length ? [...outputs.at(-1).data] : [];
  const pixel = at?.maps === 0 ? at.cell : null;
  return { ...{ state, layer, own, chosen, channel, cell, X, Y, outputs, found, scores, pixel }, value: valueAt(Y, channel, ...cell) };
}

/** Return the cell with the largest number, of those between some sides. */
function strongestIn(maps, channel, [[top, bottom], [left, right]]) {
  const [, height, width] = maps.shape;
  let best = [Math.min(top, height - 1), Math.min(left, width - 1)]; // where all is padding
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const value = Math.abs(valueAt(maps, channel, row, column));
      if (value > Math.abs(valueAt(maps, channel, ...best))) best = [row, column];
    }
  }
  return best;
}

/** Follow a cell down to the image through the strongest input channels. @returns {{layer: number, channel: number}[]} */
function traceDown({ walk }, { layer, channel, cell, outputs, found }) {
  const steps = [];
  for (let i = layer; i > 0; i--) {
    steps.unshift({ layer: i, channel });
    const own = walk[i - 1];
    if (own.groups) channel = (i === layer ? found : contributions(own, outputs[i - 1], channel, cell))[0].channel;
    const below = i > 1 && fieldThrough([own]);
    if (below) cell = strongestIn(outputs[i - 1], channel, sides(below, cell, outputs[i - 1].shape));
  }
  return steps;
}

// ---- layout ----

/** An input channel of a convolution: its window, its kernel slice, and the sum of their products. */
function makeSource() {
  const [window, kernel] = [makeMap("output"), makeMap("kernel")];
  const [name, sum, place] = ["name", "sum", "place"].map((part) => make("span", { class: `d2l-${part}` }));
  const element = make("span", { class: "d2l-source" }, name, window.element, "·", kernel.element, place, sum);
  return { element, window, kernel, name, sum, place };
}

/** A step of the path down. */
function makeStep() {
  const [plate, text] = [makeMap("output"), make("span")];
  return { element: make("li", {}, plate.element, text), plate, text };
}

function layOut(root, { walk }, { point, pickLayer, pickChannel, pickCell, pickSource, walkCell }) {
  const stack = make("ol", { class: "d2l-stack", "aria-label": "Layers of the network" });
  const tab = ({ name, shape }, i) =>
    make("button", { type: "button", click: () => pickLayer(i + 1) }, make("b", {}, name), ` ${shapeText(shape)}`);
  stack.append(...walk.map((layer, i) => make("li", {}, tab(layer, i))));
  const picture = makeMap("image", (cell) => point(cell && { maps: 0, cell }));
  const map = makeMap("output", (cell) => point(cell && { cell }));
  const choice = make("div", { class: "d2l-cells", role: "application", tabindex: 0 }, map.element);
  choice.addEventListener("click", (event) => pickCell(map.cellAt(event)));
  choice.addEventListener("pointermove", (event) => event.pointerType === "touch" && pickCell(map.cellAt(event)));
  choice.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    walkCell(KEYS[event.key]);
  });
  const [pictureName, mapName, all] = [makeCaption(), makeCaption(), makeCaption()];
  const scores = make("div", { class: "d2l-scores" });
  const plates = make("div", { class: "d2l-row d2l-plates" });
  plates.append(make("div", {}, pictureName, picture.element), make("div", {}, mapName, choice), scores);
  const note = make("p", { class: "d2l-note" });
  const channels = makeChoices("Channels", (channel) => makeMap("output", (cell) => point(cell && { channel, cell })), pickChannel);
  const scale = make("div", { class: "d2l-scale" });
  const formula = make("p", { class: "d2l-formula" });
  const sourcesName = makeCaption("What each input channel adds, the strongest first: its window · its kernel slice (orange above 0, purple below)");
  const sources = makeChoices("Input channels, the strongest first", makeSource, pickSource);
  const products = make("div", { class: "d2l-products" });
  const pathName = makeCaption("The path to this cell, through the strongest channels, and how many cells it sees there:");
  const path = make("ol", { class: "d2l-path" });
  root.append(stack, plates, note, formula, all, channels.element, scale, sourcesName, make("div", { class: "d2l-row d2l-sums" }, sources.element, products), pathName, path);
  const trail = []; // the steps of the path, by layer
  return { stack, picture, map, choice, pictureName, mapName, all, scores, note, channels, scale, formula, sourcesName, sources, products, pathName, path, trail };
}

// ---- draw ----

/** A bar from zero in the middle, to the right above zero and to the left below. */
function bar(value, limit) {
  const inner = { class: value < 0 && "d2l-below", "--share": `${((50 * Math.abs(value)) / limit).toFixed(1)}%` };
  return ["span", { class: "d2l-bar", "aria-hidden": "true" }, ["span", inner]];
}

/** A small table of numbers, coloured by their size. */
function table(name, rows, role) {
  const { limit } = extent(rows.flat());
  const cell = (value) => {
    const shade = `${Math.round((45 * Math.abs(value)) / limit)}%`;
    return ["td", { class: value < 0 && "d2l-below", "--shade": shade }, short(value)];
  };
  const lines = rows.map((row) => ["tr", {}, ...row.map(cell)]);
  const settings = { class: `d2l-numbers d2l-${role}`, "--columns": rows[0].length };
  return ["table", settings, ["caption", {}, name], ["tbody", {}, ...lines]];
}

/** Draw the image with the field of the cell, and the channel with the cell. */
function drawPlates(parts, { fields, brightest }, { layer, own, channel, cell, Y, outputs }, colours) {
  const [image] = outputs;
  [...parts.stack.children].forEach(({ firstChild }, i) => dress(firstChild, { "aria-current": i === layer - 1 ? "step" : "false" }));
  parts.picture.paint(image.shape[0] === 3 ? image : channelOf(image, 0), brightest, colours);
  parts.picture.mark(sides(fields[layer - 1], cell, image.shape));
  parts.map.paint(channelOf(Y, channel), extent(Y.data).limit, colours);
  parts.map.mark(cell.map((index) => [index, index + 1]));
  write(parts.pictureName, `Image, ${shapeText(image.shape)}`);
  write(parts.mapName, `${own.name}, channel ${channel}`);
  dress(parts.choice, { "aria-label": `Cells of ${own.name}, channel ${channel}: move with the arrow keys` });
}

/** Draw all channels of the layer on one scale. */
function drawChannels(parts, { own, Y, chosen }, colours) {
  const { limit, low, high } = extent(Y.data);
  const names = Array.from({ length: Y.shape[0] }, (_, i) => {
    const ends = extent(channelOf(Y, i).data);
    return `channel ${i}, from ${short(ends.low)} to ${short(ends.high)}`;
  });
  parts.channels.show(names, chosen.channel).forEach((one, i) => one.paint(channelOf(Y, i), limit, colours));
  write(parts.all, `${counted(Y.shape[0], "channel")} of ${own.name} on one scale, from ${short(low)} to ${short(high)}:`);
  fill(parts.scale, ...scaleEnds(limit));
}

/** Say which pixels of the image a cell sees. */
function sees(field, cell, size) {
  const ends = sides(field, cell, size);
  if (ends.some(([first, end]) => first >= end)) return "only padding";
  const [rows, columns] = ends.map(([first, end]) => `${first} to ${end - 1}`);
  const isCut = ends.some(([first, end], axis) => end - first < field.size[axis]);
  return `${field.size.join("×")} pixels: rows ${rows}, columns ${columns}${isCut ? ", and padding" : ""}`;
}

/** Write the number of the cell, what it sees, and how it is computed. */
function explain(parts, { fields, size }, { layer, own, channel, cell, X, outputs, found, pixel, value }) {
  const before = pixel ? `Image, ${cellName(...pixel)}: ${short(valueAt(outputs[0], 0, ...pixel))}. ` : "";
  const seen = `It sees ${sees(fields[layer - 1], cell, size)}.`;
  write(parts.note, `${before}${own.name}, channel ${channel}, ${cellName(...cell)}: ${short(value)}. ${seen}`);
  const result = number(short(value), "output");
  if (own.groups) {
    const rest = found.slice(STRONGEST).reduce((total, { sum }) => total + sum, 0);
    const terms = found.slice(0, STRONGEST).map(({ sum }) => [" + ", number(factor(sum), "input")]);
    const others = found.length > STRONGEST ? [" + ", number(factor(rest), "input"), ` (${found.length - STRONGEST} others)`] : [];
    const bias = own.bias ? own.bias.data[channel] : 0;
    const relation = equals(bias, ...found.map(({ sum }) => sum), value);
    fill(parts.formula, "bias ", number(short(bias), "kernel"), ...terms.flat(), ...others, ` ${relation} `, result);
  } else {
    const inputs = own.kind in ACTIVATIONS ? [valueAt(X, channel, ...cell)] : pooled(own, X, channel, cell);
    const terms = inputs.flatMap((input, i) => [i ? ", " : "", number(short(input), "input")]);
    const relation = own.kind === "relu" || own.kind === "max" ? "=" : equals(...inputs, value);
    fill(parts.formula, `${NAMES[own.kind]}(`, ...terms, `) ${relation} `, result);
  }
}

/** Show how much each input channel adds, and the numbers of one of them. */
function drawSources({ sourcesName, sources, products }, { layer, X, found }, source, colours) {
  const strongest = found.slice(0, STRONGEST);
  for (const part of [sourcesName, sources.element, products]) part.hidden = !strongest.length;
  if (!strongest.length) return;
  const picked = Math.max(strongest.findIndex(({ channel }) => channel === source), 0);
  const tensor = (rows) => ({ data: rows.flat(), shape: [rows.length, rows[0].length] });
  const { limit } = extent(X.data);
  const most = extent(found.map(({ sum }) => sum)).limit;
  const widest = extent(found.flatMap(({ kernel }) => kernel.flat())).limit;
  const what = layer === 1 ? "image channel" : "input channel";
  const names = strongest.map((one) => `${what} ${one.channel} adds ${short(one.sum)}`);
  sources.show(names, picked).forEach((item, i) => {
    const { channel, window, kernel, sum } = strongest[i];
    write(item.name, String(channel));
    item.window.paint(tensor(window), limit, colours);
    item.kernel.paint(tensor(kernel), widest, colours);
    fill(item.place, bar(sum, most));
    write(item.sum, short(sum));
  });
  const { channel, window, kernel, sum } = strongest[picked];
  const sign = ["span", { class: "d2l-sign", "aria-hidden": "true" }, "·"];
  const tables = [table(`Window, ${what} ${channel}`, window, "output"), sign, table("Kernel slice", kernel, "kernel")];
  fill(products, ["div", { class: "d2l-row d2l-pair" }, ...tables], ["p", {}, "Sum of products: ", number(short(sum), "input")]);
}

/** Show the path from the cell down to the image: of each convolution's inputs, the strongest. */
function drawPath({ path, pathName, trail }, network, shown, colours) {
  const { layer, cell, outputs } = shown;
  const items = traceDown(network, shown).map((step) => {
    const { element, plate, text } = (trail[step.layer] ??= makeStep());
    const maps = outputs[step.layer];
    plate.paint(channelOf(maps, step.channel), extent(maps.data).limit, colours);
    const ends = sides(fieldThrough(network.walk.slice(step.layer, layer)), cell, maps.shape);
    plate.mark(ends);
    const cells = ends.map(([first, end]) => Math.max(end - first, 0));
    write(text, `${network.walk[step.layer - 1].name}, channel ${step.channel}: ${cells.join("×")}`);
    return element;
  });
  if (path.children.length !== items.length) path.replaceChildren(...items);
  for (const part of [path, pathName]) part.hidden = layer === 1;
}

function drawScores(scores, values, classes) {
  const shares = values.length ? softmax(values) : [];
  const lines = values.map((value, i) => {
    const filled = ["span", { "--share": `${(100 * shares[i]).toFixed(1)}%` }];
    const share = ["td", {}, ["span", { class: "d2l-bar d2l-probability", "aria-hidden": "true" }, filled]];
    const numbers = [`${Math.round(100 * shares[i])}%`, value.toFixed(2).replace("-", "−")];
    const cells = [["th", { scope: "row" }, classes[i]], share, ...numbers.map((text) => ["td", {}, text])];
    return ["tr", { class: i === indexOfBest(values) && "d2l-best" }, ...cells];
  });
  if (lines.length) fill(scores, ["table", {}, ["caption", {}, "Softmax, and the scores"], ["tbody", {}, ...lines]]);
}

/** Return what a screen reader says. */
function describe({ classes }, { own, Y, channel, cell, value, scores }) {
  const maps = `${own.name}, ${counted(Y.shape[0], "channel")} of ${Y.shape[1]} by ${Y.shape[2]}`;
  const winner = scores.length ? `; highest score ${classes[indexOfBest(scores)]}: ${short(Math.max(...scores))}` : "";
  return `${maps}; channel ${channel}, ${cellName(...cell)}: ${short(value)}${winner}`;
}

function drawAll(parts, network, shown, source, colours) {
  drawPlates(parts, network, shown, colours);
  drawChannels(parts, shown, colours);
  explain(parts, network, shown);
  drawSources(parts, shown, source, colours);
  drawPath(parts, network, shown, colours);
  drawScores(parts.scores, shown.scores, network.classes);
}

// ---- listen ----

/** What the reader does; shown() is what was drawn last. */
function makeHandlers(model, network, pointer, shown, soon) {
  const { walk, fields, size } = network;
  const layerShown = () => shown().layer; // the trait may hold one that there is not
  const set = (values) => {
    pointer.move(null); // even if it still rests on a cell
    change(model, values);
    soon();
  };
  const pickCell = (cell) => set({ place: middleOf(fields[layerShown() - 1], cell, size) });
  return {
    point: (where) => pointer.move(where && { maps: shown().layer, channel: shown().chosen.channel, ...where }),
    pickLayer: (layer) => set({ layer }),
    pickChannel: (channel) => set({ channel }),
    pickCell,
    walkCell(step) {
      const [, height, width] = walk[layerShown() - 1].shape;
      const [row, column] = shown().chosen.cell.map((index, axis) => index + step[axis]);
      if (row >= 0 && row < height && column >= 0 && column < width) pickCell([row, column]);
    },
  };
}

/** Write what is shown as lines of PyTorch. The weights are those of the network that the text trains. */
function code({ walk, size }, { layer, right, down }, { channel, cell }) {
  const pair = (values) => (new Set(values).size === 1 ? String(values[0]) : `(${values.join(", ")})`);
  const line = ({ kind, shape, weight, kernelSize, stride, padding, groups }) => {
    if (kind === "conv" || kind === "norm") {
      const [outputs, perGroup] = weight.shape;
      const options = `stride=${pair(stride)}, padding=${pair([padding[0], padding[2]])}, groups=${groups}`;
      return `nn.Conv2d(${perGroup * groups}, ${outputs}, ${pair(kernelSize)}, ${options})`;
    }
    if (kind in ACTIVATIONS) return `nn.${{ relu: "ReLU", sigmoid: "Sigmoid", tanh: "Tanh" }[kind]}()`;
    return `nn.${kind === "max" ? "Max" : "Avg"}Pool2d(${pair(kernelSize)}, stride=${pair(stride)}, padding=${pair(padding.slice(0, 2))})  # ${shapeText(shape)}`;
  };
  const lines = walk.slice(0, layer).map((one) => `    ${line(one).replace(/( {2}#.*)?$/, ",$1")}`);
  return [
    "import torch\nfrom torch import nn\n",
    ...["network = nn.Sequential(  # give it the weights of the trained network", ...lines, ")"],
    `image = torch.rand(${walk[0].groups ? walk[0].weight.shape[1] * walk[0].groups : walk[0].shape[0]}, ${size.slice(-2).join(", ")})  # the picture`,
    `moved = torch.roll(image, (${down}, ${right}), dims=(1, 2))  # the figure fills up with zeros`,
    `maps = network(moved[None])[0]`,
    `print(maps[${channel}, ${cell.join(", ")}])`,
    "",
  ].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-maps" });
  const network = readNetwork(model);
  const kinds = kindsFor(network);
  const run = makeRunner(network);
  const pointer = makePointer(() => soon());
  let colours = null; // of the theme
  let source = null; // the input channel that is picked; null is the strongest
  let shown = null;
  const handlers = makeHandlers(model, network, pointer, () => shown, () => soon());
  const parts = layOut(root, network, {
    ...handlers,
    pickChannel(channel) {
      source = null;
      handlers.pickChannel(channel);
    },
    pickSource(number) {
      source = shown.found[number].channel;
      soon();
    },
  });

  function draw(state, say) {
    colours ??= readColours(root);
    shown = compute(network, state, run(state), pointer.at);
    drawAll(parts, network, shown, source, colours);
    if (!pointer.at) say(describe(network, shown));
  }

  const { soon, stop } = frameFigure(model, root, {
    ...{ kinds, draw, code: (state) => code(network, state, shown) },
    onReset: () => (source = null),
  });
  const stopTheme = watchTheme(root, () => {
    colours = null;
    soon();
  });
  el.append(root);
  return () => {
    stopTheme();
    stop();
  };
}

export default { render };
