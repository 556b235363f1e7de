/** Curves over the epochs: of the loss or of the accuracy, for the training and the validation images. */

import { dress, fill, make } from "../shared/base.js";

const BOX = { width: 320, height: 190, left: 34, right: 8, top: 10, bottom: 34 };
const MOST_POINTS = 240; // of the losses of single steps; more are averaged

/**
 * @typedef {{name: string, values: number[]}} Curve a value for each epoch, from the first on
 * @typedef {{limit: number, every: number, epochs: number, perStep?: number[], steps: number, curves: Curve[],
 *   before: Curve[], at: number}} Plot every: between two marks of the axis;
 *   perStep: a value for each step; steps: of an epoch; before: curves of the training before; at: epochs done at
 *   the moment that is shown
 */

/**
 * Make the drawing of curves.
 * @param {string} title what the curves are of
 * @returns {{element: Element, draw: function(Plot, string): void}} takes also what the curves say, in words
 */
export function makeChart(title) {
  const drawing = make("svg", { class: "d2l-chart", viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img" });
  const element = make("div", {}, make("p", { class: "d2l-caption", "aria-hidden": "true" }, title), drawing);
  const inner = { width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom };

  function draw({ limit, every, epochs, perStep = [], steps, curves, before, at }, told) {
    const x = (epoch) => (BOX.left + (inner.width * epoch) / epochs).toFixed(1);
    const y = (value) => (BOX.top + inner.height * (1 - Math.min(Math.max(value / limit, 0), 1))).toFixed(1);
    const line = (points, marks) => {
      const finite = points.filter(([, value]) => Number.isFinite(value));
      return ["path", { class: `d2l-curve ${marks}`, d: finite.map(([epoch, value], i) => `${i ? "L" : "M"}${x(epoch)} ${y(value)}`).join("") }];
    };
    const perEpoch = (values) => values.map((value, i) => [i + 1, value]);
    const lines = (some, marks) =>
      some.filter(({ values }) => values.length).map(({ name, values }) => line(perEpoch(values), `${marks}d2l-${name}`));
    const text = (at, anchor, what, marks = "d2l-tick") => ["text", { ...at, "text-anchor": anchor, class: marks }, what];
    const levels = Array.from({ length: Math.round(limit / every) + 1 }, (_, i) => i * every);
    const gap = Math.ceil(epochs / 10);
    const columns = Array.from({ length: Math.floor(epochs / gap) + 1 }, (_, i) => i * gap);
    const dot = (name) => ([epoch, value]) =>
      name === "training"
        ? ["circle", { class: "d2l-training", cx: x(epoch), cy: y(value), r: 2.6 }]
        : ["rect", { class: "d2l-validation", x: x(epoch) - 2.5, y: y(value) - 2.5, width: 5, height: 5 }];
    dress(drawing, { "aria-label": `${title}, ${told}` });
    fill(
      drawing,
      ["g", {}, ...levels.map((level) => ["line", { class: "d2l-level", x1: BOX.left, x2: BOX.width - BOX.right, y1: y(level), y2: y(level) }])],
      ["g", {}, ...levels.map((level) => text({ x: BOX.left - 5, y: Number(y(level)) + 4 }, "end", String(Math.round(level * 100) / 100)))],
      ["g", {}, ...columns.map((column) => text({ x: x(column), y: BOX.height - BOX.bottom + 15 }, "middle", String(column)))],
      text({ x: BOX.left + inner.width / 2, y: BOX.height - 4 }, "middle", "epochs", "d2l-axis"),
      ["g", {}, ...lines(before, "d2l-before ")],
      ["g", {}, ...(perStep.length ? [line(thin(perStep, steps), "d2l-single-steps")] : [])],
      ["g", {}, ...lines(curves, "")],
      ["g", {}, ...curves.flatMap(({ name, values }) => perEpoch(values).map(dot(name)))],
      ["line", { class: "d2l-moment", x1: x(at), x2: x(at), y1: BOX.top, y2: BOX.height - BOX.bottom }],
    );
  }

  return { element, draw };
}

/** Give the losses of steps as points, so few that a drawing can hold them: means of as many steps as it takes. */
function thin(losses, steps) {
  const size = Math.ceil(losses.length / MOST_POINTS);
  const points = [];
  for (let first = 0; first < losses.length; first += size) {
    const some = losses.slice(first, first + size);
    points.push([(first + (some.length + 1) / 2) / steps, some.reduce((a, b) => a + b) / some.length]);
  }
  return points;
}
