/** The view of convolution_explorer: input ⋆ kernel = output, and how one output cell comes about. */

import { conv2d, convAxes, outputsFedBy, windowCells } from "./geometry.js";
import { factor, fill, make, makeVoice, number, placeName, same, short, watch, write } from "./base.js";
import { makeGrid } from "./grid.js";
import { makePicture } from "./picture.js";

const TRAITS = ["input", "kernel", "step", "fill"];
const SHADED = 6; // an input with more columns is shown as a picture

/** Convolve rows of numbers in float32, as PyTorch does. */
function correlate(X, K) {
  const tensor = (rows) => ({
    data: Float32Array.from(rows.flat()),
    shape: [1, rows.length, rows[0].length],
  });
  const kernel = tensor(K);
  kernel.shape.unshift(1);
  const { data, shape } = conv2d(tensor(X), kernel);
  const [, height, width] = shape;
  return Array.from({ length: height }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width)));
}

/** Keep the choice of a preset and the numbers in step: numbers that are typed are the reader's own. */
function followChoice(model, name) {
  let own = model.get(name);
  const chosen = () => {
    const index = model.get(`${name}_index`);
    return index ? model.get(`${name}s`)[index].values : own;
  };
  if (!same(own, chosen())) own = model.get(`${name}s`)[0].values;
  const edited = () => {
    if (same(model.get(name), chosen())) return;
    own = model.get(name);
    model.set(`${name}_index`, 0);
    model.save_changes();
  };
  const picked = () => {
    if (same(model.get(name), chosen())) return;
    model.set(name, chosen());
    model.save_changes();
  };
  model.on(`change:${name}`, edited);
  model.on(`change:${name}_index`, picked);
  return () => {
    model.off(`change:${name}`, edited);
    model.off(`change:${name}_index`, picked);
  };
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view" });
  const voice = makeVoice(model, root);
  let pointed = null; // output cell under the pointer
  let source = null; // input cell under the pointer or in focus
  let timer = 0; // runs while it plays

  const edit = (name) => (row, column, number) => {
    const values = model.get(name).map((line) => [...line]);
    values[row][column] = number;
    model.set(name, values);
    model.save_changes();
  };
  const input = makeGrid({
    title: "Input",
    role: "input",
    onEdit: edit("input"),
    onPoint: (row, column) => point(null, row === null ? null : [row, column]),
  });
  const kernel = makeGrid({ title: "Kernel", role: "kernel", onEdit: edit("kernel") });
  const output = makeGrid({
    title: "Output",
    role: "output",
    onPoint: (row, column) => point(row === null ? null : [row, column], null),
    onPick: (row, column) => go(row * columns() + column + 1),
  });
  const formula = make("p", { class: "d2l-formula" });
  const note = make("p", { class: "d2l-note" });
  const play = make("button", { type: "button", click: () => (timer ? pause() : start()) }, "Play");
  const buttons = make(
    "div",
    { class: "d2l-buttons" },
    make("button", { type: "button", click: () => walk(-1) }, "Back"),
    play,
    make("button", { type: "button", click: () => walk(1) }, "Step"),
  );
  const picture = makePicture("A digit", "Its feature map");
  const sign = (text) => make("span", { class: "d2l-sign", "aria-hidden": "true" }, text);
  const after = (text, grid) => make("div", { class: "d2l-row d2l-pair" }, sign(text), grid.element);
  const grids = make("div", { class: "d2l-row" }, input.element, after("⋆", kernel), after("=", output));
  root.append(buttons, grids, note, formula, picture.element, voice.element);
  el.append(root);

  const columns = () => model.get("input")[0].length - model.get("kernel")[0].length + 1;
  const rows = () => model.get("input").length - model.get("kernel").length + 1;

  function point(cell, from) {
    if (same([cell, from], [pointed, source])) return;
    [pointed, source] = [cell, from];
    soon();
  }

  function go(step) {
    if (timer) pause();
    pointed = null; // even if the pointer still rests on a cell
    model.set("step", step);
    model.save_changes();
    soon();
  }

  const walk = (by) => go(Math.min(Math.max(model.get("step") + by, 1), model.get("steps")));

  function start() {
    if (!model.get("fill") || model.get("step") === model.get("steps")) model.set("step", 1);
    model.set("fill", true);
    model.save_changes();
    play.textContent = "Pause";
    timer = setTimeout(tick, 1000 * model.get("seconds"));
  }

  function tick() {
    model.set("step", Math.min(model.get("step") + 1, model.get("steps")));
    model.save_changes();
    timer = setTimeout(tick, 1000 * model.get("seconds"));
    if (model.get("step") === model.get("steps")) pause();
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Play";
    soon();
  }

  /** The number of steps follows the shapes; a step that no longer exists becomes the last. */
  function count() {
    const steps = Math.max(rows(), 0) * Math.max(columns(), 0);
    if (!steps || steps === model.get("steps")) return;
    model.set("step", Math.min(model.get("step"), steps));
    model.set("steps", steps);
    model.save_changes();
  }

  function draw() {
    const [X, K] = [model.get("input"), model.get("kernel")];
    if (rows() < 1 || columns() < 1) {
      write(formula, `A kernel of ${K.length}×${K[0].length} does not fit into ${X.length}×${X[0].length} cells.`);
      return;
    }
    const Y = correlate(X, K);
    const axes = convAxes([X.length, X[0].length], [K.length, K[0].length]);
    const pinned = [Math.floor((model.get("step") - 1) / columns()), (model.get("step") - 1) % columns()];
    const [row, column] = pointed ?? pinned;
    const seen = windowCells(row, column, axes);
    const fed = source && outputsFedBy(...source, axes);
    const has = (cells, r, c) => cells.rows.includes(r) && cells.cols.includes(c);
    const shaded = X[0].length > SHADED;
    const [top, limit] = [X, Y].map((values) => Math.max(...values.flat().map(Math.abs)) || 1);

    grids.classList.toggle("d2l-dense", shaded);
    input.show(X, (r, c) => ({
      marks: fed ? (same(source, [r, c]) ? "d2l-here" : "") : has(seen, r, c) ? "d2l-here" : "",
      shade: shaded ? X[r][c] / top : null,
    }));
    kernel.show(K, () => ({}));
    const paint = (r, c) => {
      const hidden = model.get("fill") && r * columns() + c >= Math.max(model.get("step"), 1);
      const here = fed ? has(fed, r, c) : r === row && c === column;
      return {
        marks: `${here ? (fed ? "d2l-fed" : "d2l-here") : ""} ${!fed && same([r, c], pinned) ? "d2l-pinned" : ""}`,
        shade: shaded && !hidden ? Y[r][c] / limit : null,
        hidden: hidden && !(here && !fed),
      };
    };
    output.show(Y, paint, pinned);
    writeOut(X, K, Y, seen, row, column);
    explain(row, column, Y[row][column], fed);
    drawPicture(K);
  }

  /** Say in words what is marked. */
  function explain(row, column, value, fed) {
    const place = placeName(row, column);
    const many = fed ? fed.rows.length * fed.cols.length : 0;
    const feeding = `Input row ${source?.[0] + 1}, column ${source?.[1] + 1} feeds ${many} output ${many === 1 ? "cell" : "cells"}.`;
    write(note, `${fed ? `${feeding} ` : ""}Output ${place}:`);
    if (!pointed && !timer) voice.say(fed ? feeding : `${place}: output ${short(value)}`);
  }

  /** Write out the sum of products of one output cell. */
  function writeOut(X, K, Y, seen, row, column) {
    const terms = K.flatMap((line, u) =>
      line.map((k, v) => {
        const x = X[seen.rows[u]][seen.cols[v]];
        const factors = [number(factor(x), "input"), "·", number(factor(k), "kernel")];
        return ["span", { class: k ? "d2l-term" : "d2l-term d2l-zero" }, u + v ? " + " : "", ...factors];
      }),
    );
    fill(formula, ...terms, " = ", number(short(Y[row][column]), "output"));
  }

  let drawn = null;
  function drawPicture(K) {
    const image = model.get("image");
    if (drawn === K || image.length < K.length || image[0].length < K[0].length) return;
    drawn = K;
    picture.show(image, correlate(image, K));
  }

  const stop = [followChoice(model, "input"), followChoice(model, "kernel")];
  for (const name of ["input", "kernel"]) model.on(`change:${name}`, count);
  const { soon, stop: stopDrawing } = watch(model, TRAITS, draw);
  stop.push(stopDrawing);
  draw();
  return () => {
    clearTimeout(timer);
    for (const name of ["input", "kernel"]) model.off(`change:${name}`, count);
    stop.forEach((end) => end());
  };
}

export default { render };
