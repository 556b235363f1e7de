/** The view of training_explorer: LeNet learns to read digits in the page. */

import { change, dress, fill, make, same, write } from "../shared/base.js";
import { makeMap, readColours, watchTheme } from "../shared/maps.js";
import { frameFigure } from "../shared/frame.js";
import { between, flag, listOf, oneOf, readState, record, text, whole } from "../shared/state.js";
import { makeChart } from "./chart.js";
import { enlarge, readDigits } from "../lenet/digits.js";
import { initialWeights, Network } from "../lenet/lenet.js";
import { unpackCourse, unpackDigits } from "../lenet/packed.js";
import { makeTrainer, strideAt } from "../lenet/runner.js";
import { SHIFT } from "../lenet/sgd.js";

const AT_ONCE = 10; // epochs of a press on Train
const HEADS = ["Epoch", "Train loss", "Train accuracy", "Valid loss", "Valid accuracy"];
const KERNELS = { count: 6, side: 5, columns: 6, name: "The 6 kernels, 5×5: orange above 0, purple below" };
const MAPS = [
  { count: 6, side: 14, columns: 6, name: "Their 6 maps, pooled to 14×14" },
  { count: 16, side: 5, columns: 16, name: "The 16 maps of the second convolution, 5×5" },
];

// ---- what a saved state may hold ----

/** What each setting may be; a saved state lists some of it, and holds the index of the one that is chosen. */
const SETTINGS = {
  activation: oneOf("relu", "sigmoid", "tanh"),
  pooling: oneOf("max", "avg"),
  lr: between(1e-9, 10),
  momentum: between(0, 0.9999),
  batch_size: whole(1, 512),
  weight_decay: between(0, 1),
};
const STATE = {
  choices: record(Object.fromEntries(Object.entries(SETTINGS).map(([name, allowed]) => [name, listOf(allowed, 1, 20)]))),
  ...Object.fromEntries(Object.keys(SETTINGS).map((name) => [`${name}_index`, whole(0, 19)])),
  shifts: flag,
  seed: whole(0, 2 ** 32 - 1),
  digit: whole(0, 9),
};

/** Read the settings of a training from the state. */
function readSettings(state) {
  const chosen = Object.keys(SETTINGS).map((name) => {
    const [choices, index] = [state.choices[name], state[`${name}_index`]];
    if (index >= choices.length) throw new RangeError(`${name}_index must be from 0 to ${choices.length - 1}, got ${index}`);
    return [name, choices[index]];
  });
  return { ...Object.fromEntries(chosen), shifts: state.shifts, seed: state.seed };
}

/** Read an image of each digit, and how many there are to learn from. */
function readExamples(model) {
  const { examples, count } = readState(model, { examples: record({ pixels: text, labels: text }), count: whole(1, 100_000) });
  const { pixels, labels } = unpackDigits("examples", examples);
  if (labels !== "0123456789") throw new RangeError("examples must hold the digits from 0 to 9");
  return { images: readDigits(pixels).map(enlarge), count };
}

// ---- what a training has given so far ----

/**
 * @typedef {{settings: object, steps: number, losses: number[], epochs: number[][], now: Moment, kept: Moment[],
 *   running: boolean, failed: ?string}} Course steps: of an epoch; kept: moments to look back at
 *
 * @returns {Course} that of a network that has learned nothing yet
 */
function newCourse(settings, count) {
  const now = { step: 0, weights: initialWeights(settings.seed) };
  const steps = Math.ceil(count / settings.batch_size);
  return { settings, steps, losses: [], epochs: [], now, kept: [now], running: false, failed: null };
}

/** Add what a report says. */
function addReport(course, { losses, epochs, moments, now, running, failed }) {
  course.losses.push(...losses);
  course.epochs.push(...epochs);
  Object.assign(course, { running, failed: failed ?? null });
  if (!failed) course.now = now; // else its weights are no numbers
  course.kept = [...course.kept, ...moments].filter(({ step }) => step % strideAt(now.step) === 0);
}

/** List the moments that can be looked back at, and now. */
const momentsOf = ({ kept, now }) => [...kept.filter(({ step }) => step < now.step), now];

const six = (value) => value.toFixed(6);
const three = (value) => value.toFixed(3);

/** Write how far a training had come. */
function progress(step, steps) {
  if (step === 0) return "Before the first step";
  return `Epoch ${Math.ceil(step / steps)}, step ${((step - 1) % steps) + 1} of ${steps}`;
}

/** Write what a line of the table says, in words. */
const resultOf = ([loss, accuracy, validLoss, validAccuracy]) =>
  `training loss ${three(loss)}, accuracy ${three(accuracy)}; validation loss ${three(validLoss)}, accuracy ${three(validAccuracy)}`;

// ---- lay out ----

/** Make a row of maps below a caption. */
function makeRow(kind, { count, side, columns, name }) {
  const maps = Array.from({ length: count }, () => makeMap(kind));
  const row = make("div", { class: "d2l-plates" }, ...maps.map(({ element }) => element));
  const size = side ** 2;
  dress(row, { "--columns": columns });
  return {
    element: make("div", {}, make("p", { class: "d2l-caption" }, name), row),
    /** Paint the numbers of all maps on one scale. */
    paint(numbers, colours) {
      const limit = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
      maps.forEach((map, i) => map.paint({ data: numbers.slice(i * size, (i + 1) * size), shape: [side, side] }, limit, colours));
    },
  };
}

function makeControl(name, press) {
  return make("button", { type: "button", click: press }, name);
}

function layOut(root, { toggle, step, epoch, startOver, look }) {
  const parts = {
    toggle: makeControl("Train", toggle),
    status: make("p", { class: "d2l-status" }),
    trouble: make("p", { class: "d2l-alert", role: "alert" }),
    charts: { loss: makeChart("Loss / nats"), accuracy: makeChart("Accuracy") },
    back: make("input", { type: "range", min: 0, step: 1, input: look }),
    key: make("p", { class: "d2l-key", "aria-hidden": "true" }),
    image: makeMap("image"),
    kernels: makeRow("kernel", KERNELS),
    maps: MAPS.map((row) => makeRow("output", row)),
    scores: make("div", { class: "d2l-scores" }),
    table: make("div", { class: "d2l-epochs", role: "group", tabindex: 0, "aria-label": "Table of epochs" }),
  };
  const buttons = [parts.toggle, makeControl("One step", step), makeControl("One epoch", epoch), makeControl("Start over", startOver)];
  root.append(
    make("div", { class: "d2l-buttons" }, ...buttons),
    make("div", { class: "d2l-state" }, parts.status, parts.trouble),
    make("div", { class: "d2l-charts" }, ...Object.values(parts.charts).map(({ element }) => element)),
    parts.key,
    make("label", { class: "d2l-back" }, "Look back", parts.back),
    make(
      "div",
      { class: "d2l-inside" },
      make("div", { class: "d2l-digit" }, make("div", {}, make("p", { class: "d2l-caption" }, "Digit shown"), parts.image.element), parts.scores),
      make("div", { class: "d2l-rows" }, parts.kernels.element, ...parts.maps.map(({ element }) => element)),
    ),
    parts.table,
  );
  return parts;
}

// ---- draw ----

function drawCharts({ charts, key }, { losses, epochs, steps }, before, at) {
  const curves = (list, index) => [
    { name: "training", values: list.map((epoch) => epoch[index]) },
    { name: "validation", values: list.map((epoch) => epoch[index + 2]) },
  ];
  const highest = losses.reduce((most, loss) => (loss > most ? loss : most), 0);
  const [limit, every] = highest > 2.5 ? [Math.min(Math.ceil(highest), 6), 1] : [2.5, 0.5];
  const shared = { epochs: Math.max(AT_ONCE, Math.ceil(losses.length / steps), before.length), steps, at };
  const told = epochs.length ? `after epoch ${epochs.length}: ${resultOf(epochs.at(-1))}` : "no epoch is complete yet";
  charts.loss.draw({ ...shared, limit, every, perStep: losses, curves: curves(epochs, 0), before: curves(before, 0) }, told);
  charts.accuracy.draw({ ...shared, limit: 1, every: 0.2, curves: curves(epochs, 1), before: curves(before, 1) }, told);
  const names = ["training", "validation", "single steps", ...(before.length ? ["settings before"] : [])];
  fill(key, ...names.map((name) => ["span", { class: `d2l-${name.replace(" ", "-")}` }, name]));
}

function drawTable(table, epochs) {
  const line = (epoch, i) => [
    ...["tr", {}, ["th", { scope: "row" }, String(i + 1)]],
    ...epoch.map((value, k) => ["td", {}, k % 2 ? three(value) : six(value)]),
  ];
  const head = ["thead", {}, ["tr", {}, ...HEADS.map((name) => ["th", { scope: "col" }, name])]];
  const lines = epochs.length ? epochs.map(line) : [["tr", {}, ["td", { colspan: HEADS.length }, "A line comes after each epoch."]]];
  const isNew = epochs.length > table.querySelectorAll("tbody th").length;
  const atEnd = isNew && table.scrollHeight - table.scrollTop - table.clientHeight < 4;
  fill(table, ["table", {}, head, ["tbody", {}, ...lines]]);
  if (atEnd) table.scrollTop = table.scrollHeight;
}

/** Draw what the network makes of a digit. @returns {number[]} the probability of each class */
function drawInside(parts, network, { image, digit }, colours) {
  network.place(0, image);
  network.encode(0);
  network.score(1);
  const scores = Array.from(network.scores.subarray(0, 10));
  const exponentials = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const shares = exponentials.map((one) => one / exponentials.reduce((a, b) => a + b));
  parts.image.paint({ data: image, shape: [28, 28] }, 1, colours);
  parts.kernels.paint(network.weights[0], colours);
  parts.maps.forEach((row, l) => row.paint(network.pooled[l].subarray(0, MAPS[l].count * MAPS[l].side ** 2), colours));
  const line = (share, i) => {
    const bar = ["span", { class: "d2l-share", "aria-hidden": "true" }, ["span", { "--share": `${(100 * share).toFixed(1)}%` }]];
    return ["tr", { class: i === digit && "d2l-true" }, ["th", { scope: "row" }, String(i)], ["td", {}, bar], ["td", {}, share.toFixed(2)]];
  };
  fill(parts.scores, ["table", {}, ["caption", {}, "Softmax"], ["tbody", {}, ...shares.map(line)]]);
  return shares;
}

function drawState(parts, course, moments, shown, lost) {
  const { running, failed, losses, steps, now } = course;
  write(parts.toggle, running ? "Pause" : "Train");
  const loss = shown.step ? `: loss ${six(losses[shown.step - 1])}` : "";
  const trouble = failed ? `Stopped: ${failed}: the weights have grown out of bounds; try a smaller learning rate.` : lost;
  parts.status.hidden = Boolean(trouble);
  write(parts.status, `${shown === now ? "" : "Looking back. "}${progress(shown.step, steps)}${loss}`);
  parts.trouble.hidden = !trouble;
  write(parts.trouble, trouble);
  dress(parts.back, { max: moments.length - 1, "aria-valuetext": progress(shown.step, steps) });
  parts.back.value = moments.indexOf(shown);
}

/** Return what a screen reader says: while it trains, only what an epoch gave. */
function describe({ running, failed, epochs, steps, losses }, { step }, digit, shares) {
  if (failed) return `Stopped: ${failed}`;
  if (running) return epochs.length ? `Epoch ${epochs.length}: ${resultOf(epochs.at(-1))}` : "Training";
  const best = shares.indexOf(Math.max(...shares));
  const result = step && step === losses.length && step % steps === 0 ? `: ${resultOf(epochs.at(-1))}` : "";
  return `${progress(step, steps)}${result}; a ${digit} is read as ${best}, probability ${shares[best].toFixed(2)}`;
}

/** Write the training as lines of PyTorch. */
function code({ settings, epochs }) {
  const { activation, pooling, lr, momentum, batch_size: batch, weight_decay: decay, shifts, seed } = settings;
  return [
    ...(shifts ? ["import functools\n"] : []),
    "import torch\n",
    `from d2lconv.data import ImageData, Splits, load_digits${shifts ? ", random_shifts" : ""}`,
    "from d2lconv.models import LeNet",
    "from d2lconv.training import fit\n\n",
    "def in_64_bits(part):",
    "    return ImageData(part.images.double(), part.labels, part.class_names)\n\n",
    "def sgd(parameters):",
    `    return torch.optim.SGD(parameters, lr=${lr}, momentum=${momentum}, weight_decay=${decay})\n\n`,
    `torch.manual_seed(${seed})`,
    `model = LeNet(activation="${activation}", pooling="${pooling}").double()`,
    "history = fit(",
    "    model,",
    "    Splits(*map(in_64_bits, load_digits())),",
    `    epochs=${Math.max(epochs.length, 1)},`,
    "    optimizer=sgd,",
    `    batch_size=${batch},`,
    `    seed=${seed},`,
    ...(shifts ? [`    augment=functools.partial(random_shifts, most=${SHIFT}),`] : []),
    '    device="cpu",',
    ")",
    "for epoch in history:",
    '    print(f"{epoch.train_loss:.6f}  {epoch.valid_loss:.6f}")',
    "",
  ].join("\n");
}

// ---- listen ----

function render({ model, el, worker, late = async (name) => model.get(name) }) {
  const root = make("div", { class: "d2l-view d2l-training" });
  const { images, count } = readExamples(model);
  let course = null;
  let before = []; // what the epochs of other settings gave
  let looking = null; // the step that is looked back at
  let network = null; // in which the digit is shown
  let colours = null; // of the theme
  let said = null;
  let lost = ""; // why there is nothing to learn from

  const trainer = makeTrainer(async () => unpackCourse(await late("digits")), location.protocol.startsWith("http") ? worker : null, {
    tell(report) {
      addReport(course, report);
      if (report.epochs.length) change(model, { history: [...course.epochs] });
      soon();
    },
    lose() {
      const { running, settings } = course;
      begin(settings);
      if (running) run(AT_ONCE * course.steps);
    },
    fail({ message }) {
      lost = `The digits are missing: ${message}. Try again.`;
      course.running = false;
      soon();
    },
  });

  function begin(settings) {
    course = newCourse(settings, count);
    looking = null;
    network = new Network(settings, new Float64Array(course.now.weights.length), 1);
    trainer.start(settings);
    if (!same(model.get("history"), [])) change(model, { history: [] });
  }

  /** Train until a step; 0 pauses. */
  function run(goal) {
    if (course.failed) return;
    [looking, lost] = [null, ""];
    course.running = goal > course.now.step;
    trainer.run(goal);
    soon();
  }

  const done = () => Math.floor(course.now.step / course.steps); // epochs
  const parts = layOut(root, {
    toggle: () => run(course.running ? 0 : (done() + AT_ONCE) * course.steps),
    step: () => run(course.now.step + 1),
    epoch: () => run((done() + 1) * course.steps),
    startOver() {
      before = [];
      begin(course.settings);
      soon();
    },
    look() {
      const { step } = momentsOf(course)[Number(parts.back.value)];
      looking = step === course.now.step ? null : step;
      soon();
    },
  });

  /** Begin anew where the settings have changed; a training that runs goes on with them. */
  function follow(settings) {
    if (same(settings, course?.settings)) return;
    const running = course?.running;
    if (course?.epochs.length) before = course.epochs;
    begin(settings);
    if (running) run(AT_ONCE * course.steps);
  }

  function draw(state, say) {
    follow(readSettings(state));
    colours ??= readColours(root);
    const moments = momentsOf(course);
    const shown = moments.findLast(({ step }) => step <= (looking ?? Infinity));
    network.parameters.set(shown.weights);
    drawState(parts, course, moments, shown, lost);
    drawCharts(parts, course, before, shown.step / course.steps);
    const shares = drawInside(parts, network, { digit: state.digit, image: images[state.digit] }, colours);
    drawTable(parts.table, course.epochs);
    const now = describe(course, shown, state.digit, shares);
    if (now !== said) say((said = now));
  }

  const { soon, stop } = frameFigure(model, root, {
    kinds: STATE,
    settings: Object.keys(STATE).filter((name) => name !== "choices"),
    draw,
    code: () => code(course),
    onReset() {
      before = [];
      course = null; // another begins, even if all settings are the first ones
    },
  });
  const stopTheme = watchTheme(root, () => {
    colours = null;
    soon();
  });
  el.append(root);
  return () => {
    trainer.stop();
    stopTheme();
    stop();
  };
}

export default { render };
