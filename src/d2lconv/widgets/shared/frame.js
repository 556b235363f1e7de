/**
 * The frame of every figure. It reads the state, has it drawn, and keeps the last picture where a state is
 * impossible; and it has the buttons that all figures share: back to the first state, a link to this one, the whole
 * screen, and the same in PyTorch.
 */

import { change, figureOf, listen, make, makeVoice, same, write } from "./base.js";
import { readState } from "./state.js";

const LONGEST = 4000; // characters of a link
const ZOOMS = [2, 1.8, 1.6]; // of a figure that fills the screen
const NARROWEST = 600; // pixels of a figure that is enlarged
const TALLEST_ZOOMED = 1.4; // screens: what explains stands at the end

const makeTool = (text, click, more) => make("button", { type: "button", click, ...more }, text);

const nextFrame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

// ---- a link to a state ----

/** Return the number of a figure on its page, from 0; -1 where figures have no addresses, as in a notebook. */
const numberOf = (root) => [...document.querySelectorAll(".d2l-live")].indexOf(root.closest(".d2l-live"));

/** Write settings as the end of an address. */
function writeLink(number, settings) {
  const texts = settings.map(([name, value]) => [name, JSON.stringify(value)]);
  return `#${new URLSearchParams([["figure", number], ...texts])}`;
}

/** Read a setting of a link. Whoever sent it can have written anything. */
function readGiven(name, text, kinds) {
  if (!Object.hasOwn(kinds, name)) throw new RangeError(`there is no setting ${name.slice(0, 40)}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError(`${name} must be ${kinds[name].text}, got ${text.slice(0, 40)}`);
  }
}

/** Read what the page's address wants of a figure; nothing if it is about something else. */
function readLink(number, kinds) {
  const { figure, ...texts } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (number < 0 || figure !== String(number)) return null;
  if (location.hash.length > LONGEST) throw new RangeError("the link is too long");
  const given = Object.entries(texts).map(([name, text]) => [name, readGiven(name, text, kinds)]);
  return readState(new Map(given), Object.fromEntries(given.map(([name]) => [name, kinds[name]])));
}

// ---- the whole screen ----

/** Let a figure fill the screen; or the window, where the browser does not give the screen. */
function makePresenter(root, button) {
  let figure = null; // while it is presented

  /** Enlarge it as far as there is room, but never little: the rest is reached by scrolling. */
  async function fit() {
    for (const zoom of ZOOMS) {
      if (!figure || figure.clientWidth / zoom < NARROWEST) continue;
      figure.style.setProperty("--zoom", zoom);
      await nextFrame(); // views lay themselves out by the width that they have
      if (figure?.scrollHeight <= TALLEST_ZOOMED * figure?.clientHeight) return;
    }
  }

  async function enter() {
    figure = figureOf(root);
    figure.classList.add("d2l-presented");
    try {
      await figure.requestFullscreen();
    } catch {
      figure.popover = "manual"; // above the page, wherever it stands
      figure.showPopover?.();
    }
    button.textContent = "Leave";
    button.focus();
    document.addEventListener("keydown", leaveByKey);
    document.addEventListener("fullscreenchange", leaveWithScreen);
    fit();
  }

  function leave() {
    const presented = figure;
    if (!presented) return;
    figure = null;
    document.removeEventListener("keydown", leaveByKey);
    document.removeEventListener("fullscreenchange", leaveWithScreen);
    if (document.fullscreenElement === presented) document.exitFullscreen();
    presented.removeAttribute("popover");
    presented.classList.remove("d2l-presented");
    presented.style.removeProperty("--zoom");
    presented.scrollIntoView({ block: "nearest" });
    button.textContent = "Present";
    button.focus();
  }

  const leaveByKey = (event) => event.key === "Escape" && !root.querySelector("dialog[open]") && leave();
  const leaveWithScreen = () => document.fullscreenElement !== figure && leave();
  return () => (figure ? leave() : enter());
}

// ---- the same in PyTorch ----

/** Show lines of code as text, and copy them where the browser allows that. */
function makeListing() {
  const text = make("pre", { tabindex: 0 });
  const word = make("span", { role: "status" });
  const dialog = make("dialog", { class: "d2l-listing", "aria-label": "The state in PyTorch" });
  dialog.append(text, make("div", { class: "d2l-buttons" }, makeTool("Close", () => dialog.close()), word));

  async function show(code) {
    text.textContent = code;
    word.textContent = "";
    dialog.showModal();
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(code);
      word.textContent = "Copied.";
    } catch {
      word.textContent = "The text is selected: copy it.";
    }
  }

  return { dialog, show };
}

// ---- the frame ----

/**
 * Draw now, and whenever the state changes: once for all traits that change together, and before the browser paints.
 * What cannot be drawn at first is an error, for the page to tell; later the last picture stays, greyed, with a word.
 * @param {Model} model
 * @param {Element} root the view
 * @param {object} options
 * @param {Object<string, Kind>} options.kinds what may stand in the traits that are drawn
 * @param {string[]} [options.settings] those that a reader changes, in an order in which they can be set
 * @param {function(Object<string, *>, function(string): void): void} options.draw takes the state, and what speaks
 * @param {function(Object<string, *>): string} options.code writes lines of PyTorch that compute the state
 * @param {function(string, Object<string, *>): boolean} [options.isOwn] tells whether a setting belongs in a link, and
 *   does not follow from others
 * @param {function(): void} [options.onReset]
 * @returns {{soon: function(): void, stop: function(): void}} draws for another reason; ends it
 */
export function frameFigure(model, root, options) {
  const { kinds, settings = Object.keys(kinds), draw, code, isOwn = () => true, onReset = () => {} } = options;
  const voice = makeVoice(model, root);
  const refusal = make("div", { class: "d2l-alert" });
  const word = make("span", { class: "d2l-word" });
  const listing = makeListing();
  const kindsOfSettings = Object.fromEntries(settings.map((name) => [name, kinds[name]]));
  const settingsOf = (get) => structuredClone(Object.fromEntries(settings.map((name) => [name, get(name)])));
  let drawn = null; // the state that is shown
  function drawNow() {
    const state = readState(model, kinds);
    draw(state, voice.say);
    drawn = state;
  }

  function refuse({ message, repair }) {
    const text = `Not possible: ${message}.`;
    refusal.replaceChildren(text);
    if (repair) refusal.append(" ", makeTool(repair.text, () => change(model, repair.values)));
    if (!refusal.isConnected) root.prepend(refusal);
    voice.say(text);
  }

  let waiting = false;
  function drawOrRefuse() {
    waiting = false;
    try {
      drawNow();
      if (refusal.contains(document.activeElement)) tools.firstChild.focus(); // what repaired it goes
      refusal.remove();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      refuse(error);
    }
    root.classList.toggle("d2l-stale", refusal.isConnected);
  }
  const soon = () => {
    if (!waiting) queueMicrotask(drawOrRefuse);
    waiting = true;
  };

  /** Take the first settings, but for some that are given: all of them or none. */
  function take(values) {
    const before = settingsOf((name) => model.get(name));
    try {
      change(model, structuredClone({ ...first, ...values }));
      drawNow();
    } catch (error) {
      change(model, before);
      throw error;
    }
  }

  function tell(text) {
    write(word, text);
    voice.element.textContent = text;
  }

  function followLink() {
    try {
      const wanted = readLink(numberOf(root), kindsOfSettings);
      if (wanted) take(wanted);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      tell(`The link leads to nothing that can be shown: ${error.message}.`);
    }
  }

  async function link() {
    const own = settings.filter((name) => isOwn(name, drawn) && !same(drawn[name], first[name]));
    history.pushState(null, "", writeLink(numberOf(root), own.map((name) => [name, drawn[name]])));
    try {
      await navigator.clipboard.writeText(location.href);
      tell("The link is copied.");
    } catch {
      tell("The link is in the address bar.");
    }
  }

  function reset() {
    onReset();
    take({});
    tell("");
  }

  const linker = makeTool("Link to this state", link);
  const presenter = makeTool("Present", () => present());
  const present = makePresenter(root, presenter);
  const lister = makeTool("As PyTorch", () => listing.show(code(drawn)));
  const tools = make("div", { class: "d2l-tools" }, makeTool("Reset", reset), linker, presenter, lister, word);
  root.append(tools, listing.dialog, voice.element);

  drawNow();
  const first = settingsOf((name) => drawn[name]);
  const unlisten = listen(model, Object.keys(kinds), soon);
  queueMicrotask(() => {
    linker.hidden = numberOf(root) < 0; // only now it stands in the page
    followLink();
  });
  window.addEventListener("hashchange", followLink);
  return {
    soon,
    stop() {
      unlisten();
      window.removeEventListener("hashchange", followLink);
    },
  };
}

// ---- lines of PyTorch ----

/** Write numbers as a tensor of 32-bit floats, a row on each line. */
export function asTensor(name, values) {
  const rows = JSON.stringify(values).replaceAll("],[", "],\n    [").replaceAll(/,(?!\n)/g, ", ");
  return `${name} = torch.tensor(\n    ${rows},\n    dtype=torch.float32,\n)`;
}

export const TORCH = "import torch\nfrom torch.nn import functional as F\n";
