/**
 * The static host: runs saved widgets on a page that has no kernel.
 *
 * book/_ext/d2lconv_book/explorers.py puts a picture of each figure in the page, within <div class="d2l-live"
 * data-model="…" data-figures="…">, and the saved state of the page's widgets in the script at that address.
 * When a figure comes near the window, its state and its view are loaded, its sliders and lists are drawn here as
 * native inputs, saved links are followed, and the view takes the place of the picture. Saved text is only ever
 * set as text, never as HTML.
 */
(() => {
  "use strict";
  const NEAR = "800px"; // how far outside the window a figure is set up

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  /** A saved text as a label; a whole book as a label would take a browser seconds. */
  const label = (text) => String(text ?? "").slice(0, 100);

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** As much of Jupyter's widget models as views use. */
  class Model {
    #state;
    #listeners = new Map();

    constructor(state) {
      this.#state = structuredClone(state);
    }

    get(name) {
      return this.#state[name];
    }

    set(name, value) {
      if (same(this.#state[name], value)) return;
      this.#state[name] = value;
      this.#emit(`change:${name}`, value);
      this.#emit("change", value);
    }

    on(event, listener) {
      this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    }

    off(event, listener) {
      this.#listeners.set(event, (this.#listeners.get(event) ?? []).filter((other) => other !== listener));
    }

    /** There is no kernel to tell. */
    save_changes() {}

    #emit(event, value) {
      for (const listener of this.#listeners.get(event) ?? []) listener(this, value);
    }
  }

  let inputs = 0;

  /** An input with its label, and what stands behind it. */
  function labelled(model, input, ...more) {
    input.id = `d2l-control-${++inputs}`;
    input.disabled = Boolean(model.get("disabled"));
    const name = make("label", { for: input.id }, label(model.get("description")));
    return make("div", { class: `d2l-control d2l-${input.type}` }, name, input, ...more);
  }

  /** A slider says its value and, beyond the bare number, what the view shows then. */
  function slider(model, figure, digits) {
    const input = make("input", { type: "range" });
    const readout = make("span", { class: "d2l-readout", "aria-hidden": "true" });
    const show = () => {
      for (const name of ["min", "max", "step", "value"]) input[name] = Number(model.get(name));
      readout.textContent = Number(model.get("value")).toFixed(digits);
      const spoken = [readout.textContent, figure.view?.get("summary")].filter(Boolean);
      input.setAttribute("aria-valuetext", spoken.join(", "));
    };
    input.addEventListener("input", () => model.set("value", Number(input.value)));
    model.on("change", show);
    figure.view?.on("change:summary", show);
    show();
    return labelled(model, input, readout);
  }

  function dropdown(model) {
    const select = make("select", {}, ...model.get("_options_labels").map((text) => make("option", {}, label(text))));
    const show = () => (select.selectedIndex = model.get("index") ?? -1);
    select.addEventListener("change", () => model.set("index", select.selectedIndex));
    model.on("change:index", show);
    show();
    return labelled(model, select);
  }

  function checkbox(model) {
    const input = make("input", { type: "checkbox" });
    const show = () => (input.checked = model.get("value"));
    input.addEventListener("change", () => model.set("value", input.checked));
    model.on("change:value", show);
    show();
    return labelled(model, input);
  }

  const decimals = (step) => (String(step).split(".")[1] ?? "").length;
  const box = (name) => (model, figure) => make("div", { class: name }, ...figure.children(model));

  /** How each type of widget is drawn. A chapter that uses another fails the book's build, which reads this. */
  const DRAW = {
    AnyModel: (model, figure) => figure.draw(),
    CheckboxModel: checkbox,
    DropdownModel: dropdown,
    FloatSliderModel: (model, figure) => slider(model, figure, decimals(model.get("step"))),
    HBoxModel: box("d2l-hbox"),
    IntSliderModel: (model, figure) => slider(model, figure, 0),
    VBoxModel: box("d2l-vbox"),
  };

  let saved; // by model id: {model_name, state}
  let views; // by name: the addresses of a view's parts, in the order in which they are made, and of its worker
  const loading = new Map(); // promises by address
  const models = new Map();
  const made = new Map(); // parts of views, by name
  const given = {}; // what they give to those that come after them

  /** Load a script once; one that could not be loaded is asked for again by the next figure. */
  function load(address, what) {
    if (!loading.has(address)) {
      const script = make("script", { src: address });
      const done = new Promise((resolve, reject) => {
        script.addEventListener("load", resolve);
        script.addEventListener("error", () => reject(new Error(`${what} could not be loaded`)));
      });
      loading.set(address, done);
      done.catch(() => loading.delete(address));
      document.head.append(script);
    }
    return loading.get(address);
  }

  async function loadState(address) {
    await load(address, "its saved state");
    ({ state: saved, views } = window.d2lFigures ?? { state: {}, views: {} });
  }

  /** Load the parts of a view, put their style sheets in the page, and make each once. */
  async function loadView({ worker, ...parts }) {
    await Promise.all(Object.values(parts).map((address) => load(address, "its view")));
    for (const name of Object.keys(parts).filter((part) => !made.has(part))) {
      const part = window.d2lParts[name];
      document.head.append(make("style", {}, part.css));
      made.set(name, part.make(given));
      Object.assign(given, made.get(name));
    }
    return made.get(Object.keys(parts).at(-1));
  }

  /** Return a trait of a view; one that stands in a file of its own comes now. */
  async function giveLate(model, name) {
    const value = model.get(name);
    if (typeof value?.file !== "string") return value;
    await load(value.file, "a file");
    return window.d2lLate[value.key];
  }

  function modelOf(id) {
    if (!models.has(id)) {
      if (!Object.hasOwn(saved, id)) throw new Error("its saved state is missing");
      models.set(id, new Model(saved[id].state));
    }
    return models.get(id);
  }

  const idOf = (reference) => String(reference).replace(/^IPY_MODEL_/, "");

  /** Ids of a model and of all those that it holds. */
  const family = (id) => [id, ...[modelOf(id).get("children") ?? []].flat().flatMap((child) => family(idOf(child)))];

  /** Follow the links among some models; the source's value comes first. */
  function followLinks(ids) {
    for (const { model_name: name, state } of Object.values(saved)) {
      if (name !== "LinkModel") continue;
      const [source, target] = [state.source, state.target].map((end) => ({ id: idOf(end?.[0]), trait: end?.[1] }));
      const count = [source, target].filter(({ id }) => ids.includes(id)).length;
      if (count === 0) continue;
      if (count === 1) throw new Error("one of its controls is linked to nothing");
      const pass = (from, to) => () => modelOf(to.id).set(to.trait, modelOf(from.id).get(from.trait));
      pass(source, target)();
      modelOf(source.id).on(`change:${source.trait}`, pass(source, target));
      modelOf(target.id).on(`change:${target.trait}`, pass(target, source));
    }
  }

  /** Draw one figure; the picture goes only when everything stands. */
  async function setUp(place) {
    try {
      await loadState(place.dataset.figures);
      const id = place.dataset.model;
      const ids = family(id);
      followLinks(ids);
      const own = ids.find((one) => saved[one].model_name === "AnyModel");
      if (!own) throw new Error("it has no view");
      const el = make("div", { class: "d2l-anywidget" });
      const figure = {
        view: modelOf(own),
        draw: () => el,
        children: (model) => model.get("children").map((child) => figure.element(idOf(child))),
        element(one) {
          const name = saved[one].model_name;
          if (!Object.hasOwn(DRAW, name)) throw new Error(`no way to draw ${name}`);
          return DRAW[name](modelOf(one), figure);
        },
      };
      const element = figure.element(id);
      const name = figure.view.get("_anywidget_id");
      if (!Object.hasOwn(views, name)) throw new Error("its view is missing");
      const view = await loadView(views[name]);
      const late = (trait) => giveLate(figure.view, trait);
      view.render({ model: figure.view, el, late, worker: views[name].worker });
      element.classList.add("d2l-interactive");
      place.replaceChildren(element);
      place.dataset.ready = "";
    } catch (error) {
      const text = `This figure cannot be changed: ${error.message}. What stands here is a picture of its first state.`;
      place.prepend(make("p", { class: "d2l-problem", role: "alert" }, text));
      console.warn(error);
    }
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        (window.requestIdleCallback ?? setTimeout)(() => setUp(target)); // the text is painted first
      }
    },
    { rootMargin: NEAR },
  );
  const places = [...document.querySelectorAll(".d2l-live")];
  for (const place of places) near.observe(place);

  /** Go to the figure that the address is about: it reads there by itself in which state it is to be shown. */
  function followAddress() {
    const place = places[new URLSearchParams(location.hash.slice(1)).get("figure") ?? -1];
    for (let fold = place?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    place?.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", followAddress);
  followAddress();
})();
