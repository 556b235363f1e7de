/** The view of padding_explorer: where a kernel fits on a padded input, and the formula that counts the places. */

import { convAxes, droppedCells, outputsFedBy, paddingSides, windowCells } from "./geometry.js";
import { fill, make, makeVoice, marked, number, placeName, same, watch, watchWidth, write } from "./base.js";
import { makeGrid } from "./grid.js";

const MODES = [null, "valid", "same", "full"];
const PAIRS = ["size", "kernel", "padding", "stride", "dilation"];
const TRAITS = [...PAIRS.flatMap((name) => [`${name}_h`, `${name}_w`]), "mode", "alike"];
const MANY = 14; // with more columns a phone has no room for numbers

const pair = (model, name) => [model.get(`${name}_h`), model.get(`${name}_w`)];

/** Zeros [top, bottom, left, right]. */
function sidesOf(model) {
  const padding = MODES[model.get("mode")] ?? pair(model, "padding");
  return paddingSides(padding, pair(model, "kernel"), { dilation: pair(model, "dilation") });
}

/** Keep what belongs together in step: height and width if they shall be alike, the numbers and the mode. */
function settle(model) {
  let busy = false;
  const stops = TRAITS.map((trait) => {
    const listen = () => {
      if (busy) return;
      busy = true;
      if (model.get("alike")) {
        const [from, to] = trait.endsWith("_w") ? "wh" : "hw";
        const names = trait === "alike" ? PAIRS : PAIRS.filter((name) => trait.startsWith(name));
        for (const name of names) model.set(`${name}_${to}`, model.get(`${name}_${from}`));
      }
      if (model.get("mode")) {
        const [top, , left] = sidesOf(model);
        if (trait.startsWith("padding")) {
          if (!same(pair(model, "padding"), [top, left])) model.set("mode", 0);
        } else {
          model.set("padding_h", top);
          model.set("padding_w", left);
        }
      }
      busy = false;
      model.save_changes();
    };
    model.on(`change:${trait}`, listen);
    return () => model.off(`change:${trait}`, listen);
  });
  return () => stops.forEach((stop) => stop());
}

const range = (length) => [...Array(length).keys()];
const count = (number, name) => `${number} ${name}${number === 1 ? "" : "s"}`;

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-places" });
  const voice = makeVoice(model, root);
  let pointed = null; // output cell under the pointer or in focus
  let source = null; // cell of the padded input under the pointer or in focus

  const input = makeGrid({
    title: "Padded input",
    role: "input",
    onPoint: (row, column) => point(null, row === null ? null : [row, column]),
  });
  const output = makeGrid({
    title: "Output",
    role: "output",
    onPoint: (row, column) => point(row === null ? null : [row, column], null),
  });
  const first = make("div", { class: "d2l-frame", "aria-hidden": "true" });
  const last = make("div", { class: "d2l-frame d2l-last", "aria-hidden": "true" });
  const formula = make("div", { class: "d2l-formula" });
  const note = make("p", { class: "d2l-note" });
  const key = make(
    "p",
    { class: "d2l-note" },
    "A number says how many windows hold the cell. Dotted: zeros. Frames: the kernel's first place (solid) and its " +
      "last (dashed). ×: no window reaches the cell.",
  );
  const arrow = make("span", { class: "d2l-sign", "aria-hidden": "true" }, "→");
  const result = make("div", { class: "d2l-row d2l-pair" }, arrow, output.element);
  const grids = make("div", { class: "d2l-row d2l-grids" }, input.element, result);
  input.element.append(first, last);
  root.append(formula, grids, note, key, voice.element);
  el.append(root);

  let room = 0; // pixels from left to right
  let widths = [1, 1]; // columns of the two grids

  /** Make the cells as large as there is room for: both grids side by side, or one below the other. */
  function fit() {
    const [columns, more] = widths;
    const beside = room < 480 ? 32 : Math.max(18, (room - 56) / (columns + more));
    if (room) grids.style.setProperty("--cell", `${Math.min(32, (room - 2) / columns, beside)}px`);
  }

  const stopFitting = watchWidth(root, (width) => {
    room = width;
    fit();
  });

  function point(cell, from) {
    if (same([cell, from], [pointed, source])) return;
    [pointed, source] = [cell, from];
    soon();
  }

  /** Lay a frame around a place of the kernel. */
  function frame(element, rows, columns, top, left) {
    const places = { row: rows[0] + top, column: columns[0] + left };
    const spans = { high: rows.at(-1) - rows[0] + 1, wide: columns.at(-1) - columns[0] + 1 };
    for (const [name, value] of Object.entries({ ...places, ...spans })) element.style.setProperty(`--${name}`, value);
  }

  function draw() {
    const size = pair(model, "size");
    const sides = sidesOf(model);
    let axes = null;
    let problem = "";
    try {
      axes = convAxes(size, pair(model, "kernel"), {
        stride: pair(model, "stride"),
        padding: MODES[model.get("mode")] ?? pair(model, "padding"),
        dilation: pair(model, "dilation"),
      });
    } catch (error) {
      problem = error.message;
    }
    for (const element of [result, first, last, key]) element.hidden = !axes;
    if (axes) {
      if (pointed && (pointed[0] >= axes[0].out || pointed[1] >= axes[1].out)) pointed = null;
      const end = windowCells(axes[0].out - 1, axes[1].out - 1, axes);
      const start = windowCells(0, 0, axes);
      frame(first, start.rows, start.cols, sides[0], sides[2]);
      frame(last, end.rows, end.cols, sides[0], sides[2]);
      writeOut(axes);
      drawOutput(axes, sides);
    } else {
      pointed = null;
      fill(formula, ["p", { class: "d2l-problem" }, `No output: ${problem}.`]);
    }
    drawInput(axes, size, sides);
    explain(axes, sides, problem);
  }

  function drawInput(axes, [height, width], [top, bottom, left, right]) {
    const [rows, columns] = [top + height + bottom, left + width + right];
    input.element.style.setProperty("--rows", rows);
    widths = [columns, axes ? axes[1].out : 0];
    fit();
    root.classList.toggle("d2l-many", columns > MANY);
    if (source && (source[0] >= rows || source[1] >= columns)) source = null;
    const down = range(rows).map((r) => (axes ? outputsFedBy(r - top, 0, axes).rows.length : 0));
    const across = range(columns).map((c) => (axes ? outputsFedBy(0, c - left, axes).cols.length : 0));
    const seen = axes && pointed && windowCells(...pointed, axes);
    const numbers = down.map((many) => across.map((more) => many * more));
    const isZero = (r, c) => r < top || r >= top + height || c < left || c >= left + width;
    const isHere = (r, c) =>
      seen ? seen.rows.includes(r - top) && seen.cols.includes(c - left) : axes && same(source, [r, c]);
    input.show(numbers, (r, c) => {
      const many = numbers[r][c];
      const marks = [isZero(r, c) && "d2l-around", axes && !many && "d2l-dropped", isHere(r, c) && "d2l-here"];
      const windows = many ? `, in ${count(many, "window")}` : ", no window reaches it";
      return {
        marks: marked(...marks),
        text: axes ? String(many || "×") : "",
        label: `${placeName(r, c)}: ${isZero(r, c) ? "zero" : "input"}${axes ? windows : ""}`,
      };
    });
  }

  function drawOutput(axes, [top, , left]) {
    const fed = source && outputsFedBy(source[0] - top, source[1] - left, axes);
    const isHere = (r, c) => (fed ? fed.rows.includes(r) && fed.cols.includes(c) : same(pointed, [r, c]));
    const blank = range(axes[0].out).map(() => range(axes[1].out));
    output.show(blank, (r, c) => ({
      marks: isHere(r, c) ? (fed ? "d2l-fed" : "d2l-here") : "",
      text: "",
      label: `${placeName(r, c)}: ${windowText(r, c, axes, [top, left])}`,
    }));
  }

  /** Say which rows and columns of the padded input one window holds. */
  function windowText(row, column, axes, starts) {
    const cells = windowCells(row, column, axes);
    const list = (name, places, start) =>
      `${name}${places.length === 1 ? "" : "s"} ${places.map((place) => place + start + 1).join(", ")}`;
    return `window over ${list("row", cells.rows, starts[0])} and ${list("column", cells.cols, starts[1])}`;
  }

  /** Write the formula with its numbers, for height and width. */
  function writeOut(axes) {
    const title = (name) => ["span", { class: "d2l-axis" }, name];
    const line = (marks, name, ...parts) => ["div", { class: marks }, title(name), ["span", {}, ...parts]];
    const lines = axes.map(({ size: n, kernel: k, stride: s, before, after, dilation: d, out }, axis) => {
      const steps = before + n + after - d * (k - 1) - 1;
      const inside = ["⌊(", number(n, "input"), ` + ${before} + ${after} − ${d}·(`, number(k, "kernel")];
      const tail = ["span", { class: "d2l-tail" }, ` = ⌊${steps} / ${s}⌋ + 1 = `, number(out, "output")];
      return line("d2l-line", ["Height", "Width"][axis], ...inside, ` − 1) − 1) / ${s}⌋ + 1`, tail);
    });
    fill(formula, line("d2l-line d2l-rule", "Rule", "⌊(n + p₁ + p₂ − d·(k − 1) − 1) / s⌋ + 1"), ...lines);
  }

  /** Say in words what came out, what is marked, and which cells are in no window. */
  function explain(axes, sides, problem) {
    const [top, bottom, left, right] = sides;
    if (!axes) {
      write(note, "");
      voice.say(`no output: ${problem}`);
      return;
    }
    if (pointed) {
      tell(`Output ${placeName(...pointed)}: ${windowText(...pointed, axes, [top, left])}`);
    } else if (source) {
      const fed = outputsFedBy(source[0] - top, source[1] - left, axes);
      const many = count(fed.rows.length * fed.cols.length, "window");
      tell(`Row ${source[0] + 1}, column ${source[1] + 1} of the padded input: in ${many}`);
    } else {
      const dropped = droppedCells(axes);
      const lost = [
        dropped.rows.length && count(dropped.rows.length, "row"),
        dropped.cols.length && count(dropped.cols.length, "column"),
      ].filter(Boolean);
      const reached = lost.length ? `${lost.join(" and ")} in no window` : "every cell is in a window";
      const more = [bottom > top && "at the bottom", right > left && "on the right"].filter(Boolean);
      tell(
        `Output ${axes[0].out} by ${axes[1].out}, ${reached}`,
        more.length ? ` ${MODES[model.get("mode")].toUpperCase()} puts one more zero ${more.join(" and ")}.` : "",
        lost.length ? ` ${reasons(axes, dropped)}` : "",
      );
    }
  }

  /** Say why there are cells that no window holds. */
  function reasons(axes, dropped) {
    const rests = axes.map(({ size, kernel, stride, before, after, dilation }) => {
      const steps = before + size + after - dilation * (kernel - 1) - 1;
      return { steps, stride, rest: steps % stride };
    });
    const uneven = rests.filter(({ rest }) => rest).map(({ steps, stride }) => `${steps} is no multiple of ${stride}`);
    const jumped = [dropped.rows, dropped.cols].some(({ length }, axis) => length > rests[axis].rest);
    const floor = [...new Set(uneven)].join(" and ");
    return [
      uneven.length && `${floor}: the floor drops the rest.`,
      jumped && "Windows jump over cells, because stride or dilation is too large for the kernel.",
    ].filter(Boolean).join(" ");
  }

  /** Show and say a sentence; what follows it is only shown. */
  function tell(text, ...more) {
    write(note, `${text}.${more.join("")}`);
    voice.say(text[0].toLowerCase() + text.slice(1));
  }

  const unsettle = settle(model);
  const { soon, stop } = watch(model, TRAITS, draw);
  draw();
  return () => {
    unsettle();
    stop();
    stopFitting();
  };
}

export default { render };
