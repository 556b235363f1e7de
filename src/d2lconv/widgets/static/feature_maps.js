/** The view of feature_map_explorer: an image's way through a network, layer by layer and channel by channel. */

import { dress, factor, fill, make, makeVoice, number, placeName, same, scaleEnds, short, watch, write } from "./base.js";
import { at, BENDS, cellAt, channelOf, fieldThrough, moved, parts, placeOf, pooled, prepare, runAll, sides, unpack } from "./network.js";
import { makeChoices, makeMap, readColours, watchTheme } from "./maps.js";

const TRAITS = ["image_index", "layer", "channel", "place", "right", "down"];
const KEYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const STRONGEST = 8; // input channels that are listed
const NAMES = { relu: "ReLU", sigmoid: "sigmoid", tanh: "tanh", max: "max", avg: "mean" };

/** Return the largest distance from zero, and the smallest and largest number. */
function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  return { limit: Math.max(-low, high) || 1, low, high };
}

const size = ([channels, height, width]) => `${channels}×${height}×${width}`;
const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const caption = (text = "") => make("div", { class: "d2l-caption" }, text);
const percent = (part) => `${(100 * part).toFixed(1)}%`;

/** A bar from zero in the middle, to the right above zero and to the left below. */
function bar(value, limit) {
  const inner = { class: value < 0 && "d2l-below", "--part": percent(Math.abs(value) / limit / 2) };
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

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-maps" });
  const voice = makeVoice(model, root);
  const layers = prepare(model.get("layers"));
  const images = unpack(model.get("images"));
  const brightest = extent(images.data).limit;
  const depth = layers.findIndex(({ kind }) => kind === "flatten");
  const walk = depth < 0 ? layers : layers.slice(0, depth);
  const fields = walk.map((_, i) => fieldThrough(walk.slice(0, i + 1))); // of the image
  let computed = { key: null, outputs: [] };
  let colours = null; // of the theme
  let pointed = null; // {maps, channel, cell} under the pointer; maps 0 is the image
  let source = null; // the input channel that is picked; null is the strongest
  let listed = []; // the input channels that are shown
  const trail = []; // the steps of the way down, by layer

  // What can be seen
  const stack = make("ol", { class: "d2l-stack", "aria-label": "Layers" });
  stack.append(...walk.map(({ name, shape }) => make("li", {}, make("b", {}, name), ` ${size(shape)}`)));
  const picture = makeMap("image", (cell) => point(cell && { maps: 0, channel: 0, cell }));
  const map = makeMap("output", (cell) => point(cell && { maps: layer(), channel: channel(), cell }));
  const choice = make("div", { class: "d2l-cells", role: "application", tabindex: 0 }, map.element);
  const [pictureName, mapName, all] = [caption(), caption(), caption()];
  const sourcesName = caption("What each input channel adds, the strongest first: its window · its kernel slice (orange above 0, purple below)");
  const pathName = caption("The way to this cell, through the strongest channels, and how many cells it sees there:");
  const plates = make("div", { class: "d2l-row d2l-plates" });
  const scores = make("div", { class: "d2l-scores" });
  plates.append(make("div", {}, pictureName, picture.element), make("div", {}, mapName, choice), scores);
  const note = make("p", { class: "d2l-note" });
  const channels = makeChoices("Channels", (i) => makeMap("output", (cell) => point(cell && { maps: layer(), channel: i, cell })), pickChannel);
  const scale = make("div", { class: "d2l-scale" });
  const formula = make("p", { class: "d2l-formula" });
  const sources = makeChoices("Input channels, the strongest first", makeSource, (i) => pickSource(listed[i]));
  const products = make("div", { class: "d2l-row d2l-products" });
  const path = make("ol", { class: "d2l-path" });
  root.append(stack, plates, all, channels.element, scale, note, formula, sourcesName, sources.element, products, pathName, path, voice.element);
  el.append(root);

  const layer = () => model.get("layer");
  const channel = () => Math.min(model.get("channel"), walk[layer() - 1].shape[0] - 1);
  const cellOf = () => cellAt(fields[layer() - 1], model.get("place"), walk[layer() - 1].shape);

  /** An input channel of a convolution: its window, its kernel slice, and the sum of their products. */
  function makeSource() {
    const [window, kernel] = [makeMap("output"), makeMap("kernel")];
    const [name, sum, place] = ["name", "sum", "place"].map((part) => make("span", { class: `d2l-${part}` }));
    const element = make("span", { class: "d2l-source" }, name, window.element, "·", kernel.element, place, sum);
    return { element, window, kernel, name, sum, place };
  }

  /** A step of the way down. */
  function makeStep() {
    const [plate, text] = [makeMap("output"), make("span")];
    return { element: make("li", {}, plate.element, text), plate, text };
  }

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
    soon();
  }

  function point(where) {
    if (same(where, pointed)) return;
    pointed = where;
    soon();
  }

  function pickChannel(number) {
    pointed = null; // even if the pointer still rests on a cell
    source = null;
    set("channel", number);
  }

  function pickSource(number) {
    source = number;
    soon();
  }

  function pickCell(cell) {
    pointed = null;
    set("place", placeOf(fields[layer() - 1], cell, images.shape.slice(1)));
  }

  choice.addEventListener("click", (event) => pickCell(map.placeOf(event)));
  choice.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    const [, height, width] = walk[layer() - 1].shape;
    const [row, column] = cellOf().map((place, axis) => place + step[axis]);
    if (row >= 0 && row < height && column >= 0 && column < width) pickCell([row, column]);
  });

  /** Compute every layer, once for an image in one place. */
  function compute() {
    const settings = ["image_index", "right", "down"].map((name) => model.get(name));
    if (!same(computed.key, settings)) computed = { key: settings, outputs: runAll(layers, moved(images, ...settings)) };
    return computed.outputs;
  }

  function draw() {
    const outputs = compute();
    colours ??= readColours(root);
    const [X, Y] = [outputs[layer() - 1], outputs[layer()]];
    const own = walk[layer() - 1];
    const [now, cell] = pointed?.maps === layer() ? [pointed.channel, pointed.cell] : [channel(), cellOf()];
    const value = at(Y, now, ...cell);
    const found = own.groups ? parts(own, X, now, cell) : [];

    [...stack.children].forEach((item, i) => dress(item, { "aria-current": i === layer() - 1 ? "step" : "false" }));
    const scaleOf = extent(Y.data);
    picture.paint(outputs[0].shape[0] === 3 ? outputs[0] : channelOf(outputs[0], 0), brightest, colours);
    picture.mark(sides(fields[layer() - 1], cell, outputs[0].shape));
    map.paint(channelOf(Y, now), scaleOf.limit, colours);
    map.mark(cell.map((place) => [place, place + 1]));
    write(pictureName, `Image, ${size(outputs[0].shape)}`);
    write(mapName, `${own.name}, channel ${now + 1}`);
    dress(choice, { "aria-label": `Cells of ${own.name}, channel ${now + 1}: move with the arrow keys` });
    drawChannels(own, Y, scaleOf, colours);
    explain(own, X, now, cell, value, found);
    drawSources(found, extent(X.data).limit, colours);
    drawPath(outputs, now, cell, found, colours);
    drawScores(outputs);
    say(own, Y, now, cell, value, outputs);
  }

  function drawChannels(own, Y, { limit, low, high }, colours) {
    const names = Array.from({ length: Y.shape[0] }, (_, i) => {
      const ends = extent(channelOf(Y, i).data);
      return `channel ${i + 1}, from ${short(ends.low)} to ${short(ends.high)}`;
    });
    channels.show(names, channel()).forEach((one, i) => one.paint(channelOf(Y, i), limit, colours));
    write(all, `${counted(Y.shape[0], "channel")} of ${own.name} on one scale, from ${short(low)} to ${short(high)}:`);
    fill(scale, ...scaleEnds(limit));
  }

  const where = (cell) => placeName(...cell);

  /** Say which pixels of the image a cell sees. */
  function sees(cell) {
    const field = fields[layer() - 1];
    const ends = sides(field, cell, images.shape.slice(1));
    if (ends.some(([first, end]) => first >= end)) return "only padding";
    const [rows, columns] = ends.map(([first, end]) => `${first + 1} to ${end}`);
    const outside = ends.some(([first, end], axis) => end - first < field.size[axis]);
    return `${field.size.join("×")} pixels: rows ${rows}, columns ${columns}${outside ? ", and padding" : ""}`;
  }

  /** Write the number of the cell, what it sees, and how it is computed. */
  function explain(own, X, now, cell, value, found) {
    const before = pointed?.maps === 0 ? `Image, ${where(pointed.cell)}: ${short(at(compute()[0], 0, ...pointed.cell))}. ` : "";
    write(note, `${before}${own.name}, channel ${now + 1}, ${where(cell)}: ${short(value)}. It sees ${sees(cell)}.`);
    const result = number(short(value), "output");
    if (own.groups) {
      const rest = found.slice(STRONGEST).reduce((total, { sum }) => total + sum, 0);
      const terms = found.slice(0, STRONGEST).map(({ sum }) => [" + ", number(factor(sum), "input")]);
      const others = found.length > STRONGEST ? [" + ", number(factor(rest), "input"), ` (${found.length - STRONGEST} others)`] : [];
      const bias = number(short(own.bias ? own.bias.data[now] : 0), "kernel");
      fill(formula, "bias ", bias, ...terms.flat(), ...others, " = ", result);
    } else {
      const inputs = own.kind in BENDS ? [at(X, now, ...cell)] : pooled(own, X, now, cell);
      const terms = inputs.flatMap((input, i) => [i ? ", " : "", number(short(input), "input")]);
      fill(formula, `${NAMES[own.kind]}(`, ...terms, ") = ", result);
    }
  }

  /** Show how much each input channel adds, and the numbers of one of them. */
  function drawSources(found, limit, colours) {
    const strongest = found.slice(0, STRONGEST);
    for (const part of [sourcesName, sources.element, products]) part.hidden = !strongest.length;
    if (!strongest.length) return;
    listed = strongest.map((one) => one.channel);
    const chosen = Math.max(listed.indexOf(source), 0);
    const tensor = (rows) => ({ data: rows.flat(), shape: [rows.length, rows[0].length] });
    const most = extent(found.map(({ sum }) => sum)).limit;
    const widest = extent(found.flatMap(({ kernel }) => kernel.flat())).limit;
    const what = layer() === 1 ? "image channel" : "input channel";
    const names = strongest.map((one) => `${what} ${one.channel + 1} adds ${short(one.sum)}`);
    sources.show(names, chosen).forEach((item, i) => {
      const { channel: from, window, kernel, sum } = strongest[i];
      write(item.name, String(from + 1));
      item.window.paint(tensor(window), limit, colours);
      item.kernel.paint(tensor(kernel), widest, colours);
      fill(item.place, bar(sum, most));
      write(item.sum, short(sum));
    });
    const { channel: from, window, kernel, sum } = strongest[chosen];
    const sign = ["span", { class: "d2l-sign", "aria-hidden": "true" }, "·"];
    const left = table(`Window, ${what} ${from + 1}`, window, "output");
    const right = ["div", { class: "d2l-row d2l-pair" }, sign, table("Kernel slice", kernel, "kernel")];
    fill(products, left, right, ["span", {}, "sum of products ", number(short(sum), "input")]);
  }

  /** Show the way from the cell down to the image: of each convolution's inputs, the strongest. */
  function drawPath(outputs, now, cell, found, colours) {
    const steps = [];
    let [one, place] = [now, cell];
    for (let i = layer(); i > 0; i--) {
      steps.unshift({ i, one });
      if (walk[i - 1].groups) one = (i === layer() ? found : parts(walk[i - 1], outputs[i - 1], one, place))[0].channel;
      const below = i > 1 && fieldThrough(walk.slice(i - 1, i));
      if (below) place = strongestIn(outputs[i - 1], one, sides(below, place, outputs[i - 1].shape));
    }
    const items = steps.map(({ i, one: shown }) => {
      const { element, plate, text } = (trail[i] ??= makeStep());
      plate.paint(channelOf(outputs[i], shown), extent(outputs[i].data).limit, colours);
      const ends = sides(fieldThrough(walk.slice(i, layer())), cell, outputs[i].shape);
      plate.mark(ends);
      const cells = ends.map(([first, end]) => Math.max(end - first, 0));
      write(text, `${walk[i - 1].name}, channel ${shown + 1}: ${cells.join("×")}`);
      return element;
    });
    if (path.children.length !== items.length) path.replaceChildren(...items);
    for (const part of [path, pathName]) part.hidden = layer() === 1;
  }

  /** Return the cell with the largest number, of those between some sides. */
  function strongestIn(maps, one, [[top, bottom], [left, right]]) {
    const [, height, width] = maps.shape;
    let best = [Math.min(top, height - 1), Math.min(left, width - 1)]; // where all is padding
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        if (Math.abs(at(maps, one, row, column)) > Math.abs(at(maps, one, ...best))) best = [row, column];
      }
    }
    return best;
  }

  const best = (values) => values.indexOf(Math.max(...values));
  const scoresOf = (outputs) => (model.get("classes").length ? [...outputs.at(-1).data] : []);

  function drawScores(outputs) {
    const values = scoresOf(outputs);
    const { limit } = extent(values);
    const lines = values.map((value, i) => {
      const cells = [["th", { scope: "row" }, String(model.get("classes")[i])], ["td", {}, bar(value, limit)], ["td", {}, short(value)]];
      return ["tr", { class: i === best(values) && "d2l-best" }, ...cells];
    });
    if (lines.length) fill(scores, ["table", {}, ["caption", {}, "Scores"], ["tbody", {}, ...lines]]);
  }

  function say(own, Y, now, cell, value, outputs) {
    if (pointed) return;
    const values = scoresOf(outputs);
    const maps = `${own.name}, ${counted(Y.shape[0], "channel")} of ${Y.shape[1]} by ${Y.shape[2]}`;
    const winner = values.length ? `; highest score ${model.get("classes")[best(values)]}: ${short(Math.max(...values))}` : "";
    voice.say(`${maps}; channel ${now + 1}, ${where(cell)}: ${short(value)}${winner}`);
  }

  const { soon, stop } = watch(model, TRAITS, draw);
  const stopTheme = watchTheme(root, () => {
    colours = null;
    soon();
  });
  draw();
  return () => {
    stopTheme();
    stop();
  };
}

export default { render };
