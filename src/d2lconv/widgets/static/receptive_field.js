/** The view of receptive_field_explorer: a stack of layers, and what one output cell sees of the input. */

import { convAxes, effectiveField, receptiveField, windowCells } from "./geometry.js";
import { dress, fill, make, makeVoice, number, watch, watchWidth, write } from "./base.js";
import { makeTable } from "./layers.js";

const TRAITS = ["layers", "depth", "input_size", "cell", "last"];
const WIDE = 28; // widest cell, in pixels
const TALL = 20; // height of a cell
const GAP = 34; // between two rows, for the cone
const GUTTER = 60; // left of the rows, for their names
const BARS = 34; // height of the tallest bar
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -Infinity, End: Infinity };

const asLayer = ([kernelSize, stride, dilation]) => ({ kernelSize, stride, dilation });

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

/** Say which cells of each row an output cell depends on. */
function trace(rows, cell) {
  const seen = [[cell]];
  for (const { axes } of rows.slice(1).reverse()) {
    const below = seen[0].flatMap((place) => windowCells(place, 0, axes).rows);
    seen.unshift([...new Set(below)].sort((a, b) => a - b));
  }
  return seen;
}

/**
 * The row of output cells, of which one is chosen. Listeners are on what is around the drawing: in Chromium, an
 * SVG element that listens to focus takes it.
 */
function makeChoice(around, onPoint, onPick) {
  const element = make("g", { role: "radiogroup", "aria-label": "Cells of the output" });
  let cells = [];
  const placeOf = (event) => cells.indexOf(event.target.closest("[role=radio]")); // -1 beside the cells
  const listeners = {
    pointerover: (event) => event.pointerType !== "touch" && onPoint(placeOf(event) < 0 ? null : placeOf(event)),
    pointerleave: () => onPoint(null),
    click: (event) => pick(placeOf(event)),
    focusin: (event) => onPick(placeOf(event)),
    keydown(event) {
      if (!(event.key in KEYS)) return;
      event.preventDefault();
      pick(Math.min(Math.max(placeOf(event) + KEYS[event.key], 0), cells.length - 1));
    },
  };
  for (const [name, listener] of Object.entries(listeners)) around.addEventListener(name, listener);

  function pick(place) {
    if (place < 0) return;
    cells[place].focus();
    onPick(place);
  }

  /** @param {function(number): Part[]} paint */
  function show(count, chosen, paint) {
    if (cells.length !== count) {
      cells = Array.from({ length: count }, (_, i) => make("g", { role: "radio", "aria-label": `output cell ${i}` }));
      element.replaceChildren(...cells);
    }
    cells.forEach((cell, place) => {
      const isChosen = place === chosen;
      dress(cell, { "aria-checked": String(isChosen), tabindex: isChosen ? 0 : -1 });
      fill(cell, ...paint(place));
    });
  }

  return { element, show };
}

const percent = (share) => (share < 0.005 ? "<1" : String(Math.round(100 * share)));

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-field" });
  const voice = makeVoice(model, root);
  let pointed = null; // output cell under the pointer
  let problem = ""; // what is wrong with a setting that is being typed
  let width = 640; // of the view in pixels

  const table = makeTable(edit, (text) => {
    if (text === problem) return;
    problem = text;
    soon();
  });
  const frame = make("div");
  const choice = makeChoice(frame, point, pick);
  const drawing = make("g", { "aria-hidden": "true" });
  const marks = make("g", { "aria-hidden": "true" });
  const svg = make("svg", { class: "d2l-cone", role: "group", "aria-label": "Cone of cells" });
  svg.append(drawing, choice.element, marks);
  frame.append(svg);
  const formula = make("p", { class: "d2l-formula" });
  const note = make("p", { class: "d2l-note" });
  const names = "k kernel size, s stride, d dilation; r size of a field, j jump to the next, n number of cells";
  const legend = make("p", { class: "d2l-caption" }, names);
  root.append(table.element, legend, formula, note, frame, voice.element);
  el.append(root);

  const stack = () => model.get("layers").slice(0, model.get("depth"));

  function edit(layer, at, value) {
    const layers = model.get("layers").map((settings) => [...settings]);
    layers[layer][at] = value;
    model.set("layers", layers);
    model.save_changes();
  }

  function point(cell) {
    if (cell === pointed) return;
    pointed = cell;
    soon();
  }

  function pick(cell) {
    pointed = null; // even if the pointer still rests on a cell
    model.set("cell", cell);
    model.save_changes();
    soon();
  }

  /** The number of output cells follows the settings; a cell that no longer exists becomes the last. */
  function count() {
    const { n } = climb(model.get("input_size"), stack()).at(-1);
    if (n === null || n - 1 === model.get("last")) return;
    pointed = null;
    model.set("cell", Math.min(model.get("cell"), n - 1));
    model.set("last", n - 1);
    model.save_changes();
  }

  function draw() {
    const rows = climb(model.get("input_size"), stack());
    const wrong = rows.findIndex(({ n }) => n === null);
    const fits = wrong < 0;
    const standing = fits ? rows : rows.slice(0, wrong);
    const cell = Math.min(pointed ?? model.get("cell"), standing.at(-1).n - 1);
    const ways = fits ? effectiveField(stack().map(asLayer)).rows : [];
    table.show(rows);
    writeOut(rows);
    paint(standing, fits ? trace(rows, cell) : standing.map(() => []), ways, cell, fits);
    const text = fits ? explain(rows.at(-1), cell, ways) : refuse(rows, wrong);
    write(note, problem ? `${problem} ${text}` : text);
    note.classList.toggle("d2l-wrong", !fits || problem !== "");
    if (pointed === null) voice.say(problem || (fits ? speak(rows.at(-1), cell) : text));
  }

  /** Write out the sum that gives the size of the field. */
  function writeOut(rows) {
    const terms = rows.slice(1).map(({ reach }, i) => {
      const term = number(`${reach - 1}·${rows[i].j}`, "kernel");
      return ["span", { class: "d2l-term" }, " + ", term];
    });
    fill(formula, "r = ", number(1, "input"), ...terms, " = ", number(rows.at(-1).r, "output"));
  }

  const cellsOf = ({ r, j }, cell) => `${r} input ${r === 1 ? "cell" : "cells"}, ${cell * j} to ${cell * j + r - 1}`;
  const speak = (top, cell) => `output cell ${cell} of 0 to ${top.n - 1}: sees ${cellsOf(top, cell)}`;

  function explain(top, cell, ways) {
    const all = ways.reduce((a, b) => a + b, 0);
    const used = ways.filter(Boolean).length;
    const [most, ends] = [Math.max(...ways), ways[0]].map((n) => `${percent(n / all)} %`);
    const start = `${cell}·${top.j} = ${cell * top.j}`;
    const where = `Output cell ${cell} sees ${cellsOf(top, cell)}: its field starts at ${start}.`;
    const gaps = used < top.r ? ` Only ${used} of them count, the others lie in gaps.` : "";
    const many = all === 1 ? "One way leads" : `${all.toLocaleString("en")} ways lead`;
    const share = top.r > 1 ? ` through the first cell ${ends}, through the strongest ${most}.` : "";
    return `${where}${gaps} ${many} down to the input${share ? `:${share}` : "."}`;
  }

  function refuse(rows, wrong) {
    const cells = (n) => `${n} ${n === 1 ? "cell" : "cells"}`;
    const below = wrong === 1 ? "the input" : `layer ${wrong - 1}`;
    return (
      `Layer ${wrong} does not fit: its kernel reaches over ${cells(rows[wrong].reach)}, ` +
      `but ${below} has only ${cells(rows[wrong - 1].n)}. ` +
      "Take more input cells, or smaller kernels, strides or dilations."
    );
  }

  /** Draw the rows, the output on top, each cell over the middle of what it sees of the input. */
  function paint(rows, seen, ways, cell, whole) {
    const side = Math.min(WIDE, (width - GUTTER - 2) / model.get("input_size"));
    const numbered = side >= 19;
    const x = ({ r, j }, place) => GUTTER + (place * j + (r - 1) / 2) * side; // left end
    const y = (i) => 1 + (rows.length - 1 - i) * (TALL + GAP);
    const box = (i, place) => {
      const role = `d2l-box d2l-${i ? "output" : "input"} ${seen[i].includes(place) ? "d2l-here" : ""}`;
      const rect = ["rect", { class: role, x: x(rows[i], place), y: y(i), width: side, height: TALL }];
      const middle = { x: x(rows[i], place) + side / 2, y: y(i) + TALL / 2 };
      return numbered ? [rect, ["text", { class: "d2l-name", ...middle }, String(place)]] : [rect];
    };
    const at = (i, place) => x(rows[i], place);
    const cones = rows.slice(1).flatMap((row, i) => (whole ? cone(row, seen[i], seen[i + 1], at, i, side, y) : []));
    const parts = [["g", {}, ...cones]];
    rows.forEach(({ n }, i) => {
      const name = i ? `layer ${i}` : "input";
      const own = whole && i === rows.length - 1 ? 0 : n; // those of the last row can be chosen
      const boxes = Array.from({ length: own }, (_, place) => box(i, place)).flat();
      const title = ["text", { class: "d2l-side", x: GUTTER - 8, y: y(i) + TALL / 2 }, name];
      parts.push(["g", {}, title, ...boxes]); // those of another row stay in their places
    });
    fill(drawing, ...parts);
    choice.show(whole ? rows.at(-1).n : 0, model.get("cell"), (place) => box(rows.length - 1, place));
    const top = rows.at(-1);
    fill(marks, ...(whole ? bars(top, ways, x(rows[0], cell * top.j), y(0) + TALL, side) : []));
    const height = y(0) + TALL + (whole ? BARS + 34 : 4);
    dress(svg, { width: GUTTER + side * model.get("input_size") + 2, height });
  }

  /** Connect the marked cells of two rows. */
  function cone({ axes }, wide, narrow, x, i, side, y) {
    const [top, bottom] = [y(i + 1) + TALL, y(i)];
    const [a, b, c, e] = [x(i + 1, narrow[0]), x(i + 1, narrow.at(-1)) + side, x(i, wide.at(-1)) + side, x(i, wide[0])];
    const lines = narrow.flatMap((place) =>
      windowCells(place, 0, axes).rows.map(
        (below) => `M${x(i + 1, place) + side / 2} ${top}L${x(i, below) + side / 2} ${bottom}`,
      ),
    );
    return [
      ["path", { class: "d2l-fan", d: `M${a} ${top}H${b}L${c} ${bottom}H${e}Z` }],
      ["path", { class: "d2l-ways", d: lines.join("") }],
    ];
  }

  /** Draw the bracket under the field, and how many of the ways lead to each of its cells. */
  function bars({ r }, ways, left, top, side) {
    const [near, far] = [top + 3, top + 8];
    const bracket = `M${left + 1} ${near}V${far}H${left + r * side - 1}V${near}`;
    const all = ways.reduce((a, b) => a + b, 0);
    const most = Math.max(...ways);
    const base = far + 4 + BARS;
    const parts = [["path", { class: "d2l-bracket", d: bracket }]];
    ways.forEach((n, i) => {
      const height = (n / most) * BARS;
      const place = { x: left + i * side, width: side, y: base - height, height };
      if (n) parts.push(["rect", { class: "d2l-bar", ...place, "--shade": `${Math.round(15 + (85 * n) / most)}%` }]);
      const text = { class: "d2l-share", x: left + (i + 0.5) * side, y: base + 10 };
      if (side >= 19) parts.push(["text", text, n ? percent(n / all) : "0"]);
    });
    const under = { class: "d2l-side", x: GUTTER - 8, y: base + 10 };
    parts.push(["path", { class: "d2l-base", d: `M${left} ${base}H${left + r * side}` }]);
    if (side >= 19) parts.push(["text", under, "ways, %"]);
    return parts;
  }

  const { soon, stop } = watch(model, TRAITS, draw);
  const counted = TRAITS.slice(0, 3).map((name) => `change:${name}`);
  for (const event of counted) model.on(event, count);
  const stopWatching = watchWidth(root, (now) => {
    width = now;
    soon();
  });
  count();
  draw();
  return () => {
    stopWatching();
    for (const event of counted) model.off(event, count);
    stop();
  };
}

export default { render };
