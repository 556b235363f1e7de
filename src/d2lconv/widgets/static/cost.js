/** The view of cost_explorer: parameters and multiply-adds of one layer in three ways, or of a network's layers. */

import { percent, ratio, threeWays, total, walk } from "./costs.js";
import { dress, fill, make, makeVoice, number, watch, write } from "./base.js";

const INDICES = ["in_index", "out_index", "inside_index"];
const TRAITS = ["channels", ...INDICES, "kernel_size", "size", "bias", "networks", "network", "picked"];
const HEADS = ["Layer, output", "Parameters", "MACs"];
const COSTS = ["params", "macs"];

const LETTERS =
  "k kernel size, cᵢ and cₒ channels of input and output, m channels inside the bottleneck, h·w size of the " +
  "output. The stride is 1, and padding keeps the size. Bars compare the numbers of a column.";

const exact = new Intl.NumberFormat("en").format;
const times = (shape) => shape.join("×");
const square = (size) => times([size, size]);

/**
 * Make the table. A group has one line and may have further ones for its steps; one group is picked.
 * @param {function(?number): void} onPoint group under the pointer
 * @param {function(number): void} onPick
 */
function makeTable(onPoint, onPick) {
  const name = `d2l-picked-${Math.random()}`; // the radio buttons of other figures have another
  const body = make("tbody", {
    pointerover: (event) => event.pointerType !== "touch" && onPoint(groupOf(event)),
    pointerleave: () => onPoint(null),
    click: (event) => onPick(groupOf(event)),
    change: (event) => onPick(groupOf(event)),
  });
  const sum = makeLine("Total");
  const foot = make("tfoot", {}, sum.element);
  const head = make("tr", {}, ...HEADS.map((text) => make("th", { scope: "col" }, text)));
  const table = make("table", { class: "d2l-costs" }, make("thead", {}, head), body, foot);
  const element = make("div", { class: "d2l-scroll" }, table);
  let lines = [];
  let form = "";

  const groupOf = (event) => Number(event.target.closest("tr").dataset.group);

  function makeLine(title, radio) {
    const text = make("span", {}, title);
    const output = make("span", { class: "d2l-shape" });
    const costs = COSTS.map((key) => {
      const [bar, number, part] = ["bar", "exact", "part"].map((one) => make("span", { class: `d2l-${one}` }));
      return { cell: make("td", { class: `d2l-${key}` }, number, " ", part, bar), bar, number, part };
    });
    const layer = make("div", {}, radio ? make("label", {}, radio, text) : text, output);
    const element = make("tr", {}, make("th", { scope: "row" }, layer), ...costs.map(({ cell }) => cell));
    return { element, text, radio, output, costs };
  }

  /** Build the lines anew only where their number changes: else they would lose the focus. */
  function build(groups) {
    const wanted = String(groups.map(({ steps }) => steps.length));
    if (wanted === form) return;
    form = wanted;
    lines = groups.flatMap(({ steps }, group) => {
      const below = steps.length > 1 ? steps.map(() => makeLine("")) : [];
      for (const { element } of below) element.className = "d2l-step";
      const all = [makeLine("", make("input", { type: "radio", name })), ...below];
      for (const { element } of all) element.dataset.group = group;
      return all;
    });
    body.replaceChildren(...lines.map((line) => line.element));
  }

  function writeLine({ text, output, costs }, entry, parts, largest) {
    write(text, entry.name);
    write(output, times(entry.output));
    costs.forEach(({ bar, number, part }, i) => {
      write(number, exact(entry[COSTS[i]]));
      write(part, parts[i]);
      dress(bar, { "--part": `${(100 * entry[COSTS[i]]) / largest[i]}%` });
    });
  }

  /**
   * @param {object[]} groups with a name, an output, costs and steps
   * @param {number} picked @param {number} shown the one whose formula is written out
   * @param {function(object, string): string} part what is written beside a cost
   * @param {?object} all the costs in the last line, if there is one
   */
  function show(groups, picked, shown, part, all) {
    build(groups);
    const largest = COSTS.map((key) => Math.max(1, ...groups.map((group) => group[key])));
    const entries = groups.flatMap((group) => [group, ...(group.steps.length > 1 ? group.steps : [])]);
    lines.forEach((line, i) => {
      const parts = COSTS.map((key) => (line.radio ? part(entries[i], key) : ""));
      writeLine(line, entries[i], parts, largest);
      const group = Number(line.element.dataset.group);
      line.element.classList.toggle("d2l-shown", group === shown);
      if (line.radio) line.radio.checked = group === picked;
    });
    foot.hidden = !all;
    if (all) sum.costs.forEach(({ number }, i) => write(number, exact(all[COSTS[i]])));
  }

  return { element, show, focus: () => body.querySelector(":checked").focus() };
}

// ---- the formulas, once in letters and once in numbers ----

const between = (sign, terms) => terms.flatMap((term, i) => (i ? [sign, ...term] : term));

const FORMS = [
  ({ symbols, biases, output }) => ({ weights: symbols, biases, pixels: output.length > 1 && "h·w" }),
  ({ factors, biases, output }) => ({
    weights: factors.join("·"),
    biases: biases && String(output[0]),
    pixels: output.slice(1).join("·"),
  }),
];

const inParams = (terms) =>
  between(" + ", terms.map(({ weights, biases }) => [number(weights, "kernel"), biases && ` + ${biases}`]));

function inMacs(terms) {
  const weights = between(" + ", terms.map((term) => [number(term.weights, "kernel")]));
  const all = terms.length > 1 ? ["(", ...weights, ")"] : weights;
  return terms[0].pixels ? [...all, "·", number(terms[0].pixels, "output")] : all;
}

/** Write the sum over some steps, followed by equals signs; nothing if they have no weights. */
function sumOf(steps, inWords) {
  const own = steps.filter(({ factors }) => factors.length);
  return own.length ? FORMS.flatMap((form) => [...inWords(own.map(form)), " = "]) : [];
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-cost" });
  const voice = makeVoice(model, root);
  let pointed = null; // group under the pointer
  let drawn = model.get("network");
  let left = null; // image size that the network chosen last does not take

  const formulas = COSTS.map((key) => make("p", { class: `d2l-formula d2l-${key}` }));
  const formula = make("div", { class: "d2l-formulas" }, ...formulas);
  const table = makeTable(point, pick);
  const note = make("p", { class: "d2l-note" });
  const problem = make("p", { class: "d2l-impossible" });
  const repair = make("button", { type: "button", click: () => change("size", network().size) });
  const refusal = make("div", { class: "d2l-refusal" }, problem, make("div", { class: "d2l-buttons" }, repair));
  const answer = make("div", {}, formula, table.element, note);
  root.append(refusal, answer, voice.element);
  el.append(root);

  const network = () => model.get("networks")[model.get("network")];

  function change(name, value) {
    model.set(name, value);
    model.save_changes();
    soon();
  }

  function point(group) {
    if (group === pointed) return;
    pointed = group;
    soon();
  }

  function pick(group) {
    pointed = null; // even if the pointer still rests on a line
    change("picked", group);
  }

  function draw() {
    const isNew = model.get("network") !== drawn;
    drawn = model.get("network");
    let wrong = "";
    try {
      if (network()) drawNetwork(network(), model.get("size"), isNew);
      else drawWays();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (isNew) return bringSize();
      wrong = `Not possible: ${error.message}.`;
      write(repair, `Take ${square(network().size)}`);
      voice.say(wrong);
    }
    const isRepaired = !wrong && refusal.contains(document.activeElement); // the button goes
    write(problem, wrong);
    refusal.hidden = !wrong;
    answer.hidden = Boolean(wrong);
    if (isRepaired) table.focus();
  }

  /** Take the size of the network that was chosen, as it does not take the present one. */
  function bringSize() {
    left = model.get("size");
    change("size", network().size);
  }

  function drawNetwork(one, size, isNew) {
    if (isNew || size !== one.size) left = null;
    const steps = walk(one, size);
    const groups = steps.map((step) => ({ ...step, steps: [step] }));
    const all = total(steps);
    const own = drawTable(groups, (entry, key) => percent(entry[key], all[key]), all);
    const flat = own.symbols.startsWith("nᵢ") ? "nᵢ and nₒ: numbers of inputs and outputs. " : "";
    const free = own.factors.length ? flat : "Pooling has no weights, and multiplies nothing. ";
    const moved = left === null ? "" : `${one.name} does not take ${square(left)}: the image size is now ${size}. `;
    const shares = "Percentages are shares of the network. Bars compare the numbers of a column.";
    write(note, `${moved}${free}${shares}`);
    speak(`${moved}${one.name} at ${square(size)}: ${inWords(all)}; ${own.name}: ${inWords(own)}`);
  }

  function drawWays() {
    const [inChannels, outChannels, inside] = INDICES.map((name) => model.get("channels")[model.get(name)]);
    const [kernel, size, bias] = ["kernel_size", "size", "bias"].map((name) => model.get(name));
    const ways = threeWays({ inChannels, outChannels, inside, kernel, size, bias });
    const [full, ...others] = ways;
    drawTable(ways, (entry, key) => ratio(entry[key], full[key]), null);
    root.classList.add("d2l-ways");
    const dear = others.filter(({ macs }) => macs > full.macs).map(({ name }) => name);
    const more = dear.length ? `More MACs than full here: ${dear.join(", ")}. ` : "";
    write(note, `${more}${LETTERS}`);
    const parts = others.map(({ name, params, macs }) => {
      const [fewer, less] = [ratio(params, full.params), ratio(macs, full.macs)];
      return `${name} ${fewer} of the parameters, ${less} of the MACs`;
    });
    speak([`${full.name}: ${inWords(full)}`, ...parts].join("; "));
  }

  /** Fill the table and write out the formulas of one group, which is returned. */
  function drawTable(groups, part, all) {
    const [picked, shown] = [model.get("picked"), pointed ?? model.get("picked")].map((group) =>
      Math.min(group, groups.length - 1),
    );
    table.show(groups, picked, shown, part, all);
    writeOut(groups[shown]);
    return groups[shown];
  }

  const inWords = ({ params, macs }) => `${exact(params)} parameters, ${exact(macs)} MACs`;
  const speak = (text) => pointed === null && voice.say(text);

  function writeOut({ steps, params, macs }) {
    const sums = { params: sumOf(steps, inParams), macs: sumOf(steps, inMacs) };
    fill(formulas[0], "Parameters = ", ...sums.params, number(exact(params), "result"));
    fill(formulas[1], "MACs = ", ...sums.macs, number(exact(macs), "result"));
  }

  const { soon, stop } = watch(model, TRAITS, draw);
  draw();
  return stop;
}

export default { render };
