/** The view of own_digit: the reader draws, and a trained network reads, stroke by stroke. */

import { cellName, counted, dress, fill, make, write } from "../shared/base.js";
import { asTensor, frameFigure, TORCH } from "../shared/frame.js";
import { makeMap, readColours, watchTheme } from "../shared/maps.js";
import { oneOf, readState, record, whole } from "../shared/state.js";
import { enlarge, readDigits } from "../lenet/digits.js";
import { unpackCourse } from "../lenet/packed.js";
import { heldOut, makeCollection, MOST_KEPT } from "./kept.js";
import { countRight, learnAgain, makeReader, probabilitiesOf, takenFor } from "./learning.js";
import { makePad } from "./pad.js";
import { countInk, fitDrawing, readDrawing, SIDE_DRAWN, writeCounts } from "./preparing.js";
import { readWeights } from "./weights.js";

const CLASSES_READ = Array.from({ length: 10 }, (_, digit) => digit);
const MAPS_SHOWN = { count: 6, side: 14 };
const BRIGHT = 1; // of the 28×28 image
const STATE = {
  drawing: {
    text: "256 digits from 0 to f, or empty",
    allows: (value) => typeof value === "string" && /^(?:[0-9a-f]{256})?$/.test(value),
  },
  pen: whole(1, 6),
};
const NETWORK = record({ activation: oneOf("relu", "sigmoid", "tanh"), pooling: oneOf("max", "avg") });

// ---- lay out ----

const press = (name, click) => make("button", { type: "button", click }, name);

/** Mark a button that would do nothing; it keeps the focus, and is heard. */
const dim = (button, isDim) => dress(button, { "aria-disabled": String(isDim) });

/** Make a picture below a caption. */
function makePicture(caption, map = makeMap("image")) {
  return { element: make("div", {}, make("p", { class: "d2l-caption" }, caption), map.element), paint: map.paint };
}

function layOut(root, pad, act) {
  const parts = {
    undo: press("Undo", pad.undo),
    clear: press("Clear", pad.clear),
    hint: make("p", { class: "d2l-note" }),
    fitted: makePicture("32×32"),
    counts: makePicture("8×8"),
    image: makePicture("28×28"),
    maps: Array.from({ length: MAPS_SHOWN.count }, () => makeMap("output")),
    verdict: make("p", { class: "d2l-verdict" }),
    scores: make("div", { class: "d2l-scores" }),
    keep: CLASSES_READ.map((digit) => press(String(digit), () => act.keep(digit))),
    keptName: make("p", { class: "d2l-caption" }),
    kept: make("ul", { class: "d2l-kept", tabindex: 0, "aria-label": "Digits that you keep" }),
    forgetLast: press("Forget the last", act.forgetLast),
    forgetAll: press("Forget all", act.forgetAll),
    results: make("div", { class: "d2l-results" }),
    learn: press("Learn mine too", act.learn),
    back: press("Unlearn", act.back),
    status: make("p", { class: "d2l-status" }),
    trouble: make("p", { class: "d2l-trouble" }),
  };
  const group = { class: "d2l-buttons d2l-digits", role: "group", "aria-label": "Keep this drawing as" };
  root.append(
    make(
      ...["div", { class: "d2l-desk" }],
      make("div", { class: "d2l-paper" }, pad.element, make("div", { class: "d2l-buttons" }, parts.undo, parts.clear)),
      make(
        ...["div", { class: "d2l-reading" }],
        parts.verdict,
        parts.scores,
        make("p", { class: "d2l-caption" }, "What it gets: brought to size, its ink counted in blocks, enlarged"),
        make("div", { class: "d2l-way" }, parts.fitted.element, parts.counts.element, parts.image.element),
        make("p", { class: "d2l-caption" }, "Its 6 maps after the first convolution, pooled to 14×14"),
        make("div", { class: "d2l-plates" }, ...parts.maps.map(({ element }) => element)),
      ),
    ),
    parts.hint,
    make("div", { class: "d2l-keep" }, make("span", { "aria-hidden": "true" }, "Keep this one: it is a"), make("div", group, ...parts.keep)),
    parts.keptName,
    parts.kept,
    make("div", { class: "d2l-buttons" }, parts.learn, parts.back, parts.forgetLast, parts.forgetAll),
    parts.status,
    parts.results,
    parts.trouble,
  );
  return parts;
}

// ---- draw ----

const HINT =
  "By keyboard: arrow keys move the pen (with Shift, by 4 points), Space puts it down and lifts it, Backspace undoes a stroke, Delete clears.";

/** Show the way of a drawing to the network, and what the network makes of it. @returns {?number[]} probabilities */
function drawReading(parts, reader, points, colours) {
  const fitted = fitDrawing(points);
  const counts = countInk(fitted);
  const image = enlarge(readDigits(writeCounts(counts))[0]);
  const side = SIDE_DRAWN;
  parts.fitted.paint({ data: fitted, shape: [side, side] }, 1, colours);
  parts.counts.paint({ data: counts, shape: [8, 8] }, 16, colours);
  parts.image.paint({ data: image, shape: [28, 28] }, BRIGHT, colours);
  const isEmpty = !reader || !points.includes(1);
  const shares = isEmpty ? new Array(10).fill(0) : probabilitiesOf(reader.read(image));
  const size = MAPS_SHOWN.side ** 2;
  const all = isEmpty ? new Float64Array(MAPS_SHOWN.count * size) : reader.network.pooled[0].slice(0, MAPS_SHOWN.count * size);
  const limit = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  parts.maps.forEach((map, i) => map.paint({ data: all.slice(i * size, (i + 1) * size), shape: [14, 14] }, limit, colours));
  const best = shares.indexOf(Math.max(...shares));
  const line = (share, digit) => {
    const bar = ["span", { "--share": isEmpty ? "0%" : `${(100 * share).toFixed(1)}%` }];
    return [
      ...["tr", { class: !isEmpty && digit === best && "d2l-best" }, ["th", { scope: "row" }, String(digit)]],
      ...[["td", {}, ["span", { class: "d2l-share", "aria-hidden": "true" }, bar]], ["td", {}, isEmpty ? "–" : share.toFixed(3)]],
    ];
  };
  fill(parts.scores, ["table", {}, ["caption", {}, "Softmax"], ["tbody", {}, ...shares.map(line)]]);
  return isEmpty ? null : shares;
}

/** Say in a sentence what a digit is read as. */
function verdictOf(shares, drawing) {
  if (!shares) return drawing ? "The network is being loaded." : "Draw a digit from 0 to 9.";
  const best = shares.indexOf(Math.max(...shares));
  return `Read as ${best}, probability ${shares[best].toFixed(2)}.`;
}

/** Show the digits that are kept: their pictures, and what the network takes them for. */
function drawKept(parts, kept, readings, isHeld, plates, colours) {
  while (plates.length < kept.length) plates.push({ map: makeMap("image"), name: make("span"), role: make("span", { class: "d2l-role" }) });
  const items = kept.map(({ label, pixels }, i) => {
    const plate = (plates[i].item ??= make("li", {}, plates[i].map.element, plates[i].name, plates[i].role));
    plates[i].map.paint({ data: readDigits(pixels)[0], shape: [8, 8] }, 1, colours);
    const isRight = readings?.[i] === label;
    write(plates[i].name, !readings ? String(label) : isRight ? `${label} ✓` : `${label} → ${readings[i]}`);
    write(plates[i].role, isHeld[i] ? "held out" : "");
    const [read, held] = [readings ? `, read as ${readings[i]}` : "", isHeld[i] ? ", held out" : ""];
    dress(plate, { class: readings && !isRight && "d2l-wrong", "aria-label": `a ${label}${read}${held}` });
    return plate;
  });
  if (parts.kept.children.length !== items.length) {
    parts.kept.replaceChildren(...items);
    parts.kept.scrollTop = parts.kept.scrollHeight;
  }
  const none = "Your own digits: none yet. Of each class, every second one is held out, for the test.";
  write(parts.keptName, kept.length ? `Your own digits: ${kept.length}. 7 → 1 is a 7 that is read as a 1.` : none);
}

/** Count right readings of some digits. */
const rightOf = (kept, readings, chosen) => kept.filter(({ label }, i) => chosen(i) && readings[i] === label).length;

/** Show how many digits are read right, before and after. @returns {string} what that says */
function drawResults(parts, { kept, first, now, learned, held, course }) {
  const rows = [
    ["Course's, to validate", course.count, course.first, course.now],
    [learned.planned ? "Yours, to learn from" : "Yours, learned from", ...count(learned.chosen)],
    ["Yours, held out", ...count(held.chosen)],
  ];
  function count(chosen) {
    return [kept.filter((_, i) => chosen(i)).length, ...[first, now].map((readings) => readings && rightOf(kept, readings, chosen))];
  }
  const written = (value, total) => (!total || !Number.isInteger(value) ? "–" : `${value} of ${total}`);
  const line = ([name, total, before, after]) => [
    ...["tr", {}, ["th", { scope: "row" }, name]],
    ...[["td", {}, written(before, total)], ["td", {}, written(after, total)]],
  ];
  const head = ["thead", {}, ["tr", {}, ...["Read right", "As it came", "Now"].map((name) => ["th", { scope: "col" }, name])]];
  fill(parts.results, ["table", {}, head, ["tbody", {}, ...rows.map(line)]]);
  const [, total, before, after] = rows[2];
  if (!now || !kept.length) return "";
  if (!total) return "All of yours were learned from, so none is left to test on: keep a second one of a class.";
  return `Of your digits that it has not learned from, it read ${before} of ${total}, and now ${after}.`;
}

// ---- listen ----

/** Write the state as lines of PyTorch. */
function codeOf(kind, { drawing }) {
  const counts = countInk(fitDrawing(readDrawing(drawing)));
  const rows = Array.from({ length: 8 }, (_, row) => counts.slice(8 * row, 8 * row + 8));
  return [
    TORCH,
    "from d2lconv.models import LeNet\n",
    asTensor("counts", rows),
    'image = F.interpolate(counts[None, None] / 16, size=28, mode="bilinear")',
    `model = LeNet(activation="${kind.activation}", pooling="${kind.pooling}")  # train it first`,
    "print(model(image).softmax(dim=1))",
    "",
  ].join("\n");
}

function render({ model, el, worker, late = async (name) => model.get(name) }) {
  const root = make("div", { class: "d2l-view d2l-own" });
  const { activation, pooling } = readState(model, { network: NETWORK }).network;
  const kind = { activation, pooling };
  let coming = null; // the weights and the course's digits, a promise
  let [weights, digits, first, now] = []; // first: the network as it came
  let lost = ""; // why there is no network
  const collection = makeCollection();
  const plates = [];
  const valid = { count: 0, first: null, now: null };
  let colours = null; // of the theme
  let lesson = null; // {done, epochs, running, failed, learned: Kept[], stop}
  let note = ""; // what was done last
  let [drawn, saidStatus] = ["", ""]; // last
  let readings = null; // of the digits that are kept, by both networks

  /** Get what a page loads only for readers who draw. */
  async function fetchCourse() {
    try {
      [weights, digits] = await Promise.all([late("weights").then(readWeights), late("digits").then(unpackCourse)]);
    } catch (error) {
      coming = null;
      lost = `The network is missing: ${error.message}. Draw again to try again.`;
      soon();
      return;
    }
    lost = "";
    [first, now] = [makeReader(kind, weights), makeReader(kind, weights)];
    valid.count = digits.valid.labels.length;
    reread();
    soon();
    valid.first = await countRight(makeReader(kind, weights), digits.valid);
    soon();
  }
  const getCourse = () => (coming ??= fetchCourse());

  const readAll = (reader) => collection.all().map(({ pixels }) => takenFor(reader, enlarge(readDigits(pixels)[0])));
  const reread = () => (readings = now && [first, now].map(readAll));

  /** Leave what was learned. */
  function back() {
    lesson?.stop();
    lesson = null;
    valid.now = null;
    now?.use(weights);
    reread();
  }

  function learn() {
    const kept = collection.all();
    if (!now || !kept.length || lesson?.running) return;
    back();
    const isHeld = heldOut(kept);
    const learned = kept.filter((_, i) => !isHeld[i]);
    lesson = { done: 0, epochs: 1, running: true, failed: null, learned, stop: () => {} };
    const own = lesson;
    own.stop = learnAgain({ kind, weights, course: digits, own: learned }, location.protocol.startsWith("http") ? worker : null, (report) => {
      const isNew = report.done > own.done || !report.running;
      Object.assign(own, report);
      if (isNew && !report.failed) {
        now.use(report.weights);
        valid.now = report.valid;
        readings = [readings[0], readAll(now)];
      }
      soon();
    });
    note = "";
    soon();
  }

  const after = (act, say = "") => () => {
    act();
    note = say;
    reread();
    soon();
  };
  const act = {
    keep(digit) {
      const pixels = writeCounts(countInk(fitDrawing(readDrawing(model.get("drawing")))));
      collection.add(digit, pixels);
      note = `Kept as a ${digit}. Draw another.`;
      reread();
      pad.clear();
      pad.element.focus({ preventScroll: true });
    },
    forgetLast: after(() => collection.forgetLast(), "The last one is forgotten."),
    forgetAll: after(() => collection.forgetAll(), "All are forgotten."),
    learn,
    back: after(back, "The network is as it came."),
  };
  const pad = makePad(model, () => soon());
  const parts = layOut(root, pad, act);
  write(parts.hint, HINT);
  for (const event of ["pointerenter", "focus"]) pad.element.addEventListener(event, getCourse, { once: true });

  function drawCollection() {
    const kept = collection.all();
    const isHeld = heldOut(kept);
    const learned = new Set(lesson?.learned.map(({ label, pixels }) => `${label}${pixels}`));
    const wasLearned = (i) => (lesson ? learned.has(`${kept[i].label}${kept[i].pixels}`) : !isHeld[i]);
    drawKept(parts, kept, readings?.[1], kept.map((_, i) => !wasLearned(i)), plates, colours);
    const found = drawResults(parts, {
      ...{ kept, first: readings?.[0], now: lesson && readings[1], course: valid },
      learned: { planned: !lesson, chosen: wasLearned },
      held: { chosen: (i) => !wasLearned(i) },
    });
    const isFull = kept.length >= MOST_KEPT;
    for (const button of parts.keep) button.disabled = !model.get("drawing") || isFull;
    dim(parts.learn, !now || !kept.length || Boolean(lesson?.running));
    dim(parts.back, !lesson);
    dim(parts.forgetLast, !kept.length);
    dim(parts.forgetAll, !kept.length);
    const privacy = `Nothing leaves this browser: your digits are kept in its storage for this site, until you forget them here${isFull ? `; it holds ${MOST_KEPT}` : ""}.`;
    write(parts.trouble, collection.trouble() || privacy);
    const status = lost ? lost
      : !lesson ? note
      : lesson.failed ? `Stopped: ${lesson.failed}`
      : lesson.running ? `Learning: epoch ${lesson.done} of ${lesson.epochs} is done.`
      : `${note ? `${note} ` : ""}${found}`;
    write(parts.status, status);
    return status;
  }

  function draw({ drawing }, say) {
    if (drawing && drawing !== drawn) [note, lost] = ["", ""];
    if (!lost && (drawing || collection.all().length)) getCourse();
    drawn = drawing;
    colours ??= readColours(root);
    const points = readDrawing(drawing);
    pad.paint(points, colours);
    const shares = drawReading(parts, now, points, colours);
    const verdict = verdictOf(shares, drawing);
    write(parts.verdict, verdict);
    dim(parts.undo, !pad.canUndo());
    dim(parts.clear, !drawing);
    const status = drawCollection();
    const { isByKey, isDown, at } = pad.pen;
    const pen = isByKey ? `Pen ${isDown ? "down" : "up"}, ${cellName(...at)}. ` : "";
    say(`${pen}${verdict}${status && status !== saidStatus ? ` ${status}` : ""}`);
    saidStatus = status;
  }

  const { soon, stop } = frameFigure(model, root, {
    ...{ kinds: STATE, draw, code: (state) => codeOf(kind, state) },
    onReset: after(back),
  });
  const stopTheme = watchTheme(root, () => {
    colours = null;
    soon();
  });
  el.append(root);
  return () => {
    lesson?.stop();
    stopTheme();
    stop();
  };
}

export default { render };
