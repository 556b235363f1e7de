/** The view of gradient_explorer: forward along the upper row, and back along the lower one. */

import { change, changeNumber, counted, equals, factor, fill, make, makePointer } from "../shared/base.js";
import { marked, number, same, short, sign, sizeOf, write } from "../shared/base.js";
import { asTensor, frameFigure, TORCH } from "../shared/frame.js";
import { fail, range } from "../shared/geometry.js";
import { Grid } from "../shared/grid.js";
import { between, listOf, matrix, oneOf, optional, whole } from "../shared/state.js";
import { LAYERS, largestOf, learn, pass } from "./gradients.js";

const MOST_STEPS = 60;
const STATE = {
  input: matrix(8),
  kernel: matrix(4),
  above: matrix(8),
  target: optional(matrix(8)),
  layer_index: whole(0, LAYERS.length - 1),
  rate: between(0, 10),
  steps: whole(0, MOST_STEPS),
  part: oneOf("input", "kernel", "output", "above"),
  cell: listOf(whole(0, 7), 2),
};

const SIGNS = ["", "⋆", "=", "→"]; // before each column
const WIDE = 5; // an input with more columns has smaller cells

// Each column of the figure: a matrix of the forward pass, and below it its gradient.
const COLUMNS = [
  { name: "X", part: "input", role: "input", value: "X", gradient: "dX" },
  { name: "K", part: "kernel", role: "kernel", value: "K", gradient: "dK" },
  { name: "Y", part: "output", role: "output", value: "Y", gradient: "dY" },
  { name: "Z", part: "above", role: "output", value: "Z", gradient: "G" },
];

// ---- layout ----

function layOut(root, { edit, point, pick, step }) {
  const grids = {};
  const passes = make("div", { class: "d2l-passes" });
  const grid = (name, column, options) => {
    grids[name] = new Grid({ title: name, role: column.role, ...options });
    return grids[name].element;
  };
  const columns = COLUMNS.map((column, index) => {
    const at = (cell) => point(cell && { part: column.part, cell });
    const onPick = (cell) => pick({ part: column.part, cell });
    const onEdit = edit[column.value];
    const forward = grid(column.value, column, onEdit ? { onPoint: at, onEdit } : { onPoint: at, onPick });
    const canType = column.gradient === "G";
    const backward = grid(column.gradient, column, canType ? { onPoint: at, onEdit: edit.G } : { onPoint: at, onPick });
    const signs = make("div", { class: "d2l-both" }, sign(SIGNS[index]), sign(index ? "←" : ""));
    const both = make("div", { class: "d2l-both" }, forward, backward);
    for (const [part, number] of [[signs, 2 * index], [both, 2 * index + 1]]) part.style.setProperty("--column", number || 1);
    passes.append(...(index ? [signs] : []), both);
    return { both, signs };
  });
  const target = new Grid({ title: "Target", role: "output", onEdit: edit.T });
  const button = (text, by) => make("button", { type: "button", click: () => step(by) }, text);
  const curve = make("svg", { class: "d2l-curve", role: "img", viewBox: "0 0 240 90" });
  const lossText = make("p", { class: "d2l-loss" });
  const buttons = make("div", { class: "d2l-buttons" }, button("Back", -1), button("Step", 1), button("10 steps", 10));
  const learning = make("div", { class: "d2l-row d2l-learning" }, target.element, make("div", {}, curve, lossText, buttons));
  const note = make("p", { class: "d2l-note" });
  const formula = make("p", { class: "d2l-formula" });
  root.append(make("div", { class: "d2l-scroll" }, passes), note, formula, learning);
  return { grids, passes, columns, target, learning, curve, lossText, note, formula };
}

// ---- from the state to what is shown ----

function compute(state, at) {
  const { input: X, kernel: K, target, rate, steps } = state;
  if (K.length > X.length || K[0].length > X[0].length) fail(`a kernel of ${sizeOf(K)} does not fit into ${sizeOf(X)} cells`);
  const setting = { ...state, layer: LAYERS[state.layer_index] };
  const learned = target && learn(setting, rate, steps);
  const now = pass(learned ? { ...setting, kernel: learned.kernels.at(-1) } : setting);
  const { part: wanted, cell } = at ?? state;
  const part = wanted === "output" && setting.layer === "nothing" ? "above" : wanted;
  const column = COLUMNS.find((one) => one.part === part);
  const rows = now[column.value];
  const chosen = [Math.min(cell[0], rows.length - 1), Math.min(cell[1], rows[0].length - 1)];
  return { ...now, layer: setting.layer, learned, rate, steps, part, column, cell: chosen };
}

/** List the cells of a rectangle. */
const cellsOf = (rows, columns, top = 0, left = 0) =>
  range(rows).flatMap((u) => range(columns).map((v) => [top + u, left + v]));

/** Return, for each grid, the cells from which the gradient at hand is computed. */
function sourcesOf({ part, cell: [r, c], dY, K, layer }) {
  const below = layer === "nothing" ? "G" : "dY"; // where the output's gradient is shown
  if (part === "kernel") {
    const size = [dY.length, dY[0].length];
    return { X: cellsOf(...size, r, c), [below]: cellsOf(...size) };
  }
  if (part === "input") {
    const met = cellsOf(K.length, K[0].length).filter(([u, v]) => dY[r - u]?.[c - v] !== undefined);
    return { K: met, [below]: met.map(([u, v]) => [r - u, c - v]) };
  }
  if (part === "above") return { Z: [[r, c]] };
  if (layer === "ReLU") return { Y: [[r, c]], G: [[r, c]] };
  const window = [Math.floor(r / 2), Math.floor(c / 2)];
  return { Y: cellsOf(2, 2, 2 * window[0], 2 * window[1]), G: [window] };
}

/** Write a product of a sum. @returns {Part[]} */
const term = (a, roleA, b, roleB, isFirst) => [
  ["span", { class: marked("d2l-term", !(a && b) && "d2l-zero") }, isFirst ? "" : " + ", number(factor(a), roleA), "·", number(factor(b), roleB)],
];

/** The products that a gradient is the sum of: [output's gradient, what it is multiplied by]. */
function productsOf({ part, cell: [r, c], X, K, dY }) {
  if (part === "kernel") return dY.flatMap((line, i) => line.map((g, j) => [g, X[r + i][c + j]]));
  return K.flatMap((line, u) => line.map((k, v) => [dY[r - u]?.[c - v], k])).filter(([g]) => g !== undefined);
}

/** Say what the layer behind the convolution does with the gradient of one of its inputs. */
function routeOf({ cell: [r, c], layer, Y, G }) {
  if (layer === "ReLU") return Y[r][c] > 0 ? "above 0, so ReLU lets the gradient through" : "not above 0, so ReLU stops the gradient";
  const window = [Math.floor(r / 2), Math.floor(c / 2)];
  if (G[window[0]]?.[window[1]] === undefined) return "no window of the pooling holds it";
  const wins = same(largestOf(Y, ...window), [r, c]);
  return wins ? "the largest of its window, so the whole gradient goes to it" : "not the largest of its window, so it gets nothing";
}

/** Say in words how one gradient comes about, and write it out: a sum of products, or only the number. */
function explain(shown) {
  const { part, cell: [r, c], column, Y, Z, T } = shown;
  const value = shown[column.gradient][r][c];
  const name = `${part === "above" ? namesOf(shown).Z : column.name}[${r}, ${c}]`;
  const result = number(short(value), column.role);
  if (part === "output") return { words: `${name} is ${short(Y[r][c])}: ${routeOf(shown)}.`, formula: [result] };
  if (part === "above") {
    if (!T) return { words: `So fast the loss grows with ${name}. The number is given: type another.`, formula: [result] };
    const difference = ["2 · (", number(short(Z[r][c]), "output"), ` − ${factor(T[r][c])}) / ${Z.flat().length}`];
    return { words: `How fast the mean squared error grows with ${name}:`, formula: [...difference, ` ${equals(Z[r][c], value)} `, result] };
  }
  const isKernel = part === "kernel";
  const products = productsOf(shown);
  const terms = products.flatMap(([g, other], i) => term(g, "output", other, isKernel ? "input" : "kernel", i === 0));
  const met = isKernel ? `Weight ${name} meets one input for each output` : `Input ${name} is seen by ${counted(products.length, "output")}`;
  return { words: `${met}, so its gradient is`, formula: [...terms, ` ${equals(...products.flat(), value)} `, result] };
}

// ---- draw ----

/** Name the matrices as the text does: G is the gradient that comes from above. */
const namesOf = ({ layer }) => {
  const last = layer === "nothing" ? "Y" : "Z";
  const [X, K, Y, dX, dK, dY] = ["X", "K", "Y", "X.grad", "K.grad", "Y.grad"];
  return { X, K, Y, Z: last, dX, dK, dY, G: `G = ${last}.grad` };
};

function drawGrids({ grids, passes, columns, target }, shown) {
  const { column, cell, X, T } = shown;
  const [sources, names] = [sourcesOf(shown), namesOf(shown)];
  columns[2].both.hidden = columns[3].signs.hidden = shown.layer === "nothing"; // then the last column shows Y
  passes.classList.toggle("d2l-dense", X[0].length > WIDE);
  for (const key of COLUMNS.flatMap(({ value, gradient }) => [value, gradient])) {
    const [rows, from] = [shown[key], sources[key] ?? []];
    const isChosen = column.gradient === key;
    const isHere = (r, c) => isChosen && same(cell, [r, c]) && "d2l-here d2l-pinned";
    const isSource = (r, c) => from.some((one) => same(one, [r, c])) && "d2l-fed";
    const paint = (r, c) => ({ marks: marked(isHere(r, c), isSource(r, c)), fixed: key === "G" && Boolean(T) });
    grids[key].show(rows, paint, isChosen ? cell : undefined);
    grids[key].name(names[key].length > 1 ? names[key] : `${names[key]} ${sizeOf(rows)}`, `${names[key]}, ${rows.length} rows, ${rows[0].length} columns`);
  }
  if (T) target.show(T, () => ({}));
}

/** Draw the losses before each step; a loss that leaves the picture leaves it at the top. */
function drawCurve({ curve, lossText }, { learned: { losses }, steps, rate, loss }) {
  const most = 1.2 * losses[0] || 1;
  const x = (step) => 6 + (228 * step) / MOST_STEPS;
  const y = (value) => 84 - 78 * Math.min(value / most, 1);
  const line = losses.map((value, step) => `${step ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  fill(
    curve,
    ["path", { class: "d2l-axes", d: "M6 4V84H234" }],
    ["path", { class: "d2l-line", d: line }],
    ["circle", { cx: x(steps).toFixed(1), cy: y(loss).toFixed(1), r: 4 }],
  );
  curve.setAttribute("aria-label", `Loss over the steps: from ${short(losses[0])} to ${short(loss)} after ${steps}`);
  write(lossText, `Step ${steps} of ${MOST_STEPS}, learning rate ${short(rate)}: loss ${loss.toPrecision(4)}`);
}

/** Write what is shown as lines of PyTorch. */
function code({ input, kernel, above, target, layer_index: layer, rate, steps }) {
  const back = {
    nothing: "Z = Y",
    ReLU: "Z = Y.relu()",
    "max pooling": "Z = F.max_pool2d(Y[None], 2)[0]",
  }[LAYERS[layer]];
  const forward = ["    Y = F.conv2d(X[None, None], K[None, None])[0, 0]", `    ${back}`];
  const lines = [TORCH, asTensor("X", input), asTensor("K", kernel), asTensor(target ? "T" : "G", target ?? above)];
  lines.push("X.requires_grad_()", "K.requires_grad_()", "", "", "def forward():", ...forward, "    return Z", "", "");
  if (!target) lines.push("Z = forward()", "Z.backward(G[: Z.shape[0], : Z.shape[1]])");
  else {
    lines.push(`for step in range(${steps + 1}):`, "    X.grad = K.grad = None", "    Z = forward()");
    lines.push("    loss = F.mse_loss(Z, T[: Z.shape[0], : Z.shape[1]])", "    loss.backward()");
    lines.push(`    if step < ${steps}:`, "        with torch.no_grad():", `            K -= ${rate} * K.grad`, "", "print(loss.item())");
  }
  return [...lines, "print(K.grad)", "print(X.grad)", ""].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-gradient" });
  const pointer = makePointer(() => soon());
  const edits = (name) => (cell, value) => changeNumber(model, name, cell, value);
  let [now, heard] = [null, null]; // heard: the loss that was said last
  const parts = layOut(root, {
    edit: {
      X: edits("input"),
      T: edits("target"),
      G: edits("above"),
      /** A weight that is typed is where learning starts again. */
      K([u, v], value) {
        const kernel = structuredClone(now.K);
        kernel[u][v] = value;
        change(model, { steps: 0, kernel });
      },
    },
    point: pointer.move,
    pick({ part, cell }) {
      pointer.move(null); // even if it still rests on a cell
      change(model, { part, cell });
      soon();
    },
    step: (by) => change(model, { steps: Math.min(Math.max(model.get("steps") + by, 0), MOST_STEPS) }),
  });

  function draw(state, say) {
    now = compute(state, pointer.at);
    drawGrids(parts, now);
    parts.learning.hidden = !now.T;
    if (now.T) drawCurve(parts, now);
    const { words, formula } = explain(now);
    write(parts.note, words);
    fill(parts.formula, ...formula);
    const loss = now.T ? `Loss ${now.loss.toPrecision(4)} at step ${now.steps}.` : "";
    const sum = `${words} ${parts.formula.textContent}.`;
    say((now.loss === heard ? [sum, loss] : [loss, sum]).join(" ").trim()); // first what is new
    heard = now.loss;
  }

  const settings = ["layer_index", "input", "kernel", "above", "target", "rate", "steps", "part", "cell"];
  const { soon, stop } = frameFigure(model, root, { kinds: STATE, settings, draw, code });
  el.append(root);
  return stop;
}

export default { render };
