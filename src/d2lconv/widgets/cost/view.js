/** The view of cost_explorer: parameters and multiply-adds of one layer in three ways, or of a network's layers. */

import { change, dress, fill, make, makePointer, number, write } from "../shared/base.js";
import { frameFigure } from "../shared/frame.js";
import { anyOf, flag, listOf, oneOf, optional, record, whole, words } from "../shared/state.js";
import { percent, ratio, threeWays, total, walk } from "./costs.js";

const INDICES = ["in_index", "out_index", "bottleneck_index"];
const SETTING = whole(0, 100000); // of a layer; a bias is a flag
const LAYER = listOf(anyOf(oneOf("conv", "pool", "linear"), optional(SETTING), flag), 3, 6); // kind and settings
const NETWORK = record({
  ...{ name: words, channels: whole(1, 4096), size: whole(1, 224), fixed: flag },
  layers: listOf(LAYER, 1, 40),
});
const STATE = {
  channels: listOf(whole(1, 4096), 1, 20),
  ...Object.fromEntries(INDICES.map((name) => [name, whole(0, 19)])),
  kernel_size: whole(1, 7),
  size: whole(4, 224),
  bias: flag,
  networks: listOf(NETWORK, 0, 20),
  network: whole(0, 19),
  picked: whole(0, 39),
};
const SETTINGS = ["network", ...INDICES, "kernel_size", "size", "bias", "picked"];
const HEADS = ["Layer, output", "Parameters", "MACs"];
const COSTS = ["params", "macs"];
const LETTERS =
  "k kernel size, cᵢ and cₒ channels of input and output, m channels inside the bottleneck, h·w size of the " +
  "output. The stride is 1, and padding keeps the size. Bars compare the numbers of a column.";

const exact = new Intl.NumberFormat("en").format;
const times = (shape) => shape.join("×");
const square = (size) => times([size, size]);
const inWords = ({ params, macs }) => `${exact(params)} parameters, ${exact(macs)} MACs`;

// ---- the table ----

/** Make a line: its name, the output's shape, and for each cost a number, its share and a bar. */
function makeLine(title, radio) {
  const text = make("span", {}, title);
  const output = make("span", { class: "d2l-shape" });
  const costs = COSTS.map((key) => {
    const [bar, exact, share] = ["bar", "exact", "share"].map((one) => make("span", { class: `d2l-${one}` }));
    return { cell: make("td", { class: `d2l-${key}` }, exact, " ", share, bar), bar, exact, share };
  });
  const layer = make("div", {}, radio ? make("label", {}, radio, text) : text, output);
  const element = make("tr", {}, make("th", { scope: "row" }, layer), ...costs.map(({ cell }) => cell));
  return { element, text, radio, output, costs };
}

function writeLine({ text, output, costs }, entry, shares, longest) {
  write(text, entry.name);
  write(output, times(entry.output));
  costs.forEach(({ bar, exact: cost, share }, i) => {
    write(cost, exact(entry[COSTS[i]]));
    write(share, shares[i]);
    dress(bar, { "--share": `${(100 * entry[COSTS[i]]) / longest[i]}%` });
  });
}

/** Make the lines of some groups: one of each group with a radio button, and one for each of its steps. */
function makeLines(groups, name) {
  return groups.flatMap(({ steps }, group) => {
    const below = steps.length > 1 ? steps.map(() => makeLine("")) : [];
    for (const { element } of below) element.className = "d2l-step";
    const all = [makeLine("", make("input", { type: "radio", name })), ...below];
    for (const { element } of all) element.dataset.group = group;
    return all;
  });
}

/**
 * Make the table. A group has one line and may have further ones for its steps; one group is picked.
 * @param {function(?number): void} onPoint group under the pointer
 * @param {function(number): void} onPick
 */
function makeCosts(onPoint, onPick) {
  const name = `d2l-picked-${Math.random()}`; // the radio buttons of other figures have another
  const groupOf = (event) => Number(event.target.closest("tr").dataset.group);
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
  let form = ""; // the numbers of steps that the lines were built for

  /**
   * @param {object[]} groups with a name, an output, costs and steps
   * @param {number} picked @param {number} shown the one whose formula is written out
   * @param {function(object, string): string} share what is written beside a cost
   * @param {?object} all the costs in the last line, if there is one
   */
  function show(groups, picked, shown, share, all) {
    const wanted = String(groups.map(({ steps }) => steps.length));
    if (wanted !== form) {
      form = wanted; // only then, or the lines would lose the focus
      lines = makeLines(groups, name);
      body.replaceChildren(...lines.map((line) => line.element));
    }
    table.style.setProperty("--lines", lines.length);
    const longest = COSTS.map((key) => Math.max(1, ...groups.map((group) => group[key])));
    const entries = groups.flatMap((group) => [group, ...(group.steps.length > 1 ? group.steps : [])]);
    lines.forEach((line, i) => {
      const shares = COSTS.map((key) => (line.radio ? share(entries[i], key) : ""));
      writeLine(line, entries[i], shares, longest);
      const group = Number(line.element.dataset.group);
      line.element.classList.toggle("d2l-shown", group === shown);
      if (line.radio) line.radio.checked = group === picked;
    });
    foot.hidden = !all;
    if (all) sum.costs.forEach(({ exact: cost }, i) => write(cost, exact(all[COSTS[i]])));
  }

  return { element, show };
}

// ---- the formulas, once in letters and once in numbers ----

const joinTerms = (sign, terms) => terms.flatMap((term, i) => (i ? [sign, ...term] : term));

const FORMS = [
  ({ symbols, biases, output }) => ({ weights: symbols, biases, pixels: output.length > 1 && "h·w" }),
  ({ factors, biases, output }) => ({
    weights: factors.join("·"),
    biases: biases && String(output[0]),
    pixels: output.slice(1).join("·"),
  }),
];

const inParams = (terms) =>
  joinTerms(" + ", terms.map(({ weights, biases }) => [number(weights, "kernel"), biases && ` + ${biases}`]));

function inMacs(terms) {
  const weights = joinTerms(" + ", terms.map((term) => [number(term.weights, "kernel")]));
  const all = terms.length > 1 ? ["(", ...weights, ")"] : weights;
  return terms[0].pixels ? [...all, "·", number(terms[0].pixels, "output")] : all;
}

/** Write the sum over some steps, followed by equals signs; nothing if they have no weights. */
function sumOf(steps, inWords) {
  const own = steps.filter(({ factors }) => factors.length);
  return own.length ? FORMS.flatMap((form) => [...inWords(own.map(form)), " = "]) : [];
}

// ---- from the state to what is shown ----

/**
 * Work out what there is to show of a network: its groups, the share beside each cost, the note, the summary.
 * @param {string} moved a sentence if the network brought its own image size along
 */
function ofNetwork(network, size, moved) {
  const steps = walk(network, size);
  const all = total(steps);
  return {
    groups: steps.map((step) => ({ ...step, steps: [step] })),
    share: (entry, key) => percent(entry[key], all[key]),
    all,
    noteFor({ symbols, factors }) {
      const flat = symbols.startsWith("nᵢ") ? "nᵢ and nₒ: numbers of inputs and outputs. " : "";
      const free = factors.length ? flat : "Pooling has no weights, and multiplies nothing. ";
      return `${moved}${free}Percentages are shares of the network. Bars compare the numbers of a column.`;
    },
    summaryFor: (own) => `${moved}${network.name} at ${square(size)}: ${inWords(all)}; ${own.name}: ${inWords(own)}`,
  };
}

/** The same for one layer in three ways. */
function ofLayer({ channels, kernel_size: kernel, size, bias, ...state }) {
  const [inChannels, outChannels, bottleneck] = INDICES.map((name) => channels[Math.min(state[name], channels.length - 1)]);
  const ways = threeWays({ inChannels, outChannels, bottleneck, kernel, size, bias });
  const [full, ...others] = ways;
  const dear = others.filter(({ macs }) => macs > full.macs).map(({ name }) => name);
  const more = dear.length ? `More MACs than full here: ${dear.join(", ")}. ` : "";
  const compared = others.map(({ name, params, macs }) => {
    const [fewer, less] = [ratio(params, full.params), ratio(macs, full.macs)];
    return `${name} ${fewer} of the parameters, ${less} of the MACs`;
  });
  return {
    groups: ways,
    share: (entry, key) => ratio(entry[key], full[key]),
    all: null,
    noteFor: () => `${more}${LETTERS}`,
    summaryFor: () => [`${full.name}: ${inWords(full)}`, ...compared].join("; "),
  };
}

// ---- layout and draw ----

/**
 * Make two bars, all parameters and all MACs: each is divided among the layers. They only repeat what the table says.
 * @param {function(?number): void} onPoint @param {function(number): void} onPick as for the table
 */
function makeStacks(onPoint, onPick) {
  const groupOf = (event) => event.target.closest("[data-group]")?.dataset.group;
  const element = make("div", {
    ...{ class: "d2l-stacks", "aria-hidden": "true" },
    pointerover: (event) => event.pointerType !== "touch" && onPoint(groupOf(event) ? Number(groupOf(event)) : null),
    pointerleave: () => onPoint(null),
    click: (event) => groupOf(event) && onPick(Number(groupOf(event))),
  });

  function show(groups, shown, all) {
    element.hidden = !all;
    if (!all) return;
    const stacks = COSTS.map((key, i) => {
      const parts = groups.map((group, number) => {
        const share = (100 * group[key]) / all[key];
        const kind = group.output.length > 1 ? "conv" : "linear";
        const settings = { class: `d2l-part d2l-${kind}`, "data-group": number, "data-shown": number === shown && "" };
        return ["span", { ...settings, "--share": `${share}%` }, share > 9 ? group.name : ""];
      });
      return ["div", { class: "d2l-stack" }, ["span", { class: "d2l-axis" }, HEADS[i + 1]], ["div", {}, ...parts]];
    });
    fill(element, ...stacks);
  }

  return { element, show };
}

function layOut(root, { point, pick }) {
  const formulas = COSTS.map((key) => make("p", { class: `d2l-formula d2l-${key}` }));
  const table = makeCosts(point, pick);
  const note = make("p", { class: "d2l-note" });
  const stacks = makeStacks(point, pick);
  root.append(stacks.element, make("div", { class: "d2l-formulas" }, ...formulas), table.element, note);
  return { formulas, table, note, stacks };
}

/** Fill the table and write out the formulas of one group; return what a screen reader says. */
function drawAnswer(parts, { groups, share, all, noteFor, summaryFor }, picked, pointed) {
  const [chosen, shown] = [picked, pointed ?? picked].map((group) => Math.min(group, groups.length - 1));
  parts.table.show(groups, chosen, shown, share, all);
  parts.stacks.show(groups, shown, all);
  const own = groups[shown];
  const sums = [sumOf(own.steps, inParams), sumOf(own.steps, inMacs)];
  fill(parts.formulas[0], "Parameters = ", ...sums[0], number(exact(own.params), "result"));
  fill(parts.formulas[1], "MACs = ", ...sums[1], number(exact(own.macs), "result"));
  write(parts.note, noteFor(own));
  return summaryFor(own);
}

/** Write what is shown as lines of PyTorch. */
function code({ networks, network, channels, kernel_size: kernel, size, bias, ...state }) {
  const end = (of) => `params = sum(p.numel() for p in ${of}.parameters())`;
  if (networks.length) {
    const { name, channels: inputs } = networks[Math.min(network, networks.length - 1)];
    const [kind, letter] = name.split(" ");
    const model = letter ? `${kind}("${letter}", image_size=${size})` : `${kind}()`;
    const [models, costs] = [`from d2lconv.models import ${kind}`, "from d2lconv.summary import summarize"];
    return [models, costs, "", `print(summarize(${model}, (${inputs}, ${size}, ${size})))`, ""].join("\n");
  }
  const [cIn, cOut, m] = INDICES.map((name) => channels[Math.min(state[name], channels.length - 1)]);
  const conv = (a, b, k, more = "", own = bias) =>
    `nn.Conv2d(${a}, ${b}, ${k}${k > 1 ? ', padding="same"' : ""}${more}, bias=${own ? "True" : "False"})`;
  return [
    "from torch import nn\n",
    "ways = {",
    `    "full": ${conv(cIn, cOut, kernel)},`,
    `    "bottleneck": nn.Sequential(\n        ${conv(cIn, m, 1)},\n        ${conv(m, m, kernel)},\n        ${conv(m, cOut, 1)},\n    ),`,
    `    "separable": nn.Sequential(\n        ${conv(cIn, cIn, kernel, `, groups=${cIn}`, false)},\n        ${conv(cIn, cOut, 1)},\n    ),`,
    "}",
    "for name, layer in ways.items():",
    `    ${end("layer")}`,
    "    weights = sum(p.numel() for p in layer.parameters() if p.dim() > 1)",
    `    print(name, params, weights * ${size} * ${size})  # parameters, MACs`,
    "",
  ].join("\n");
}

function render({ model, el }) {
  const root = make("div", { class: "d2l-view d2l-cost" });
  const pointer = makePointer(() => soon());
  const network = (state) => state.networks[Math.min(state.network, state.networks.length - 1)];
  const set = (values) => {
    change(model, values);
    soon();
  };
  const parts = layOut(root, {
    point: pointer.move,
    pick(picked) {
      pointer.move(null); // even if it still rests on a line
      set({ picked });
    },
  });
  let drawn = model.get("network");
  let left = null; // image size that the network chosen last does not take

  /** Work out what there is to show; a network that was just chosen brings its own size along if it has to. */
  function compute(state, isNew) {
    const own = network(state);
    if (!own) return ofLayer(state);
    if (isNew || state.size !== own.size) left = null;
    try {
      return ofNetwork(own, state.size, left === null ? "" : `${own.name} does not take ${square(left)}: the image size is now ${state.size}. `);
    } catch (error) {
      const repair = { text: `Take ${square(own.size)}`, values: { size: own.size } };
      if (!isNew) throw Object.assign(error, { repair });
      left = state.size;
      set({ size: own.size });
      return null;
    }
  }

  function draw(state, say) {
    const isNew = state.network !== drawn;
    drawn = state.network;
    const shown = compute(state, isNew);
    if (!shown) return; // it will be drawn with the new size
    root.classList.toggle("d2l-ways", state.networks.length === 0);
    const said = drawAnswer(parts, shown, state.picked, pointer.at);
    if (pointer.at === null) say(said);
  }

  const { soon, stop } = frameFigure(model, root, { kinds: STATE, settings: SETTINGS, draw, code });
  el.append(root);
  return stop;
}

export default { render };
