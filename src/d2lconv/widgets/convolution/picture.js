/** A picture beside its feature map: a digit, a photograph of the course, or one of the reader's own. */

import { fill, largest, make, scaleEnds, short, write } from "../shared/base.js";
import { makeMap } from "../shared/maps.js";

const OWN = "your photograph";
const PRIVACY = "A photograph of yours stays in this browser: it is sent nowhere, and a link to this state leaves it out.";

/**
 * Make the pair, and what chooses the picture.
 * @param {{pick: function(?number): void, take: function(File): void}} listeners pick: one of the names, or null for
 *   the reader's own; take: a file that was chosen
 * @returns {{element: Element, offer: function(string[], ?number, boolean): void, complain: function(string): void,
 *   show: function(string, number[][], number[][], Object, function(): number[][]): string}} offer: names, the chosen
 *   one, and whether the reader has one too; show: name, pixels, kernel, colours, and what the kernel gives; returns
 *   what is shown in words
 */
export function makePicture({ pick, take }) {
  const [image, map] = [makeMap("image"), makeMap("output")];
  const [before, scale] = [make("div", { class: "d2l-caption" }), make("div", { class: "d2l-scale" })];
  const select = make("select", { change: () => pick(select.selectedIndex < names.length ? select.selectedIndex : null) });
  const note = make("p", {}, PRIVACY);
  const trouble = make("p", { class: "d2l-trouble", role: "alert" });
  const frame = ({ element }, ...more) => make("div", { class: "d2l-picture" }, element, ...more);
  const element = make(
    ...["div", { class: "d2l-album" }],
    make("div", { class: "d2l-buttons d2l-choose" }, make("label", {}, "Picture ", select), opener("Choose a photograph"), opener("Take a photograph", { capture: "environment" })),
    make("div", { class: "d2l-pictures" }, frame(image, before), frame(map, make("div", { class: "d2l-caption" }, "Its feature map"), scale)),
    make("div", { class: "d2l-privacy" }, note, trouble),
  );
  for (const { element: plate } of [image, map]) plate.setAttribute("role", "img");
  let names = [];
  let shown = [];
  let said = "";

  /** Make a button that opens a file, or the camera. */
  function opener(text, more = {}) {
    const file = make("input", { type: "file", accept: "image/*", hidden: true, ...more });
    file.addEventListener("change", () => {
      if (file.files.length) take(file.files[0]);
      file.value = ""; // the same one can be chosen again
    });
    const name = more.capture ? "d2l-camera" : "d2l-file";
    return make("span", { class: name }, make("button", { type: "button", click: () => file.click() }, text), file);
  }

  return {
    element,
    offer(listed, chosen, hasOwn) {
      names = listed;
      fill(select, ...[...names, ...(hasOwn ? [OWN] : [])].map((name) => ["option", {}, name]));
      select.selectedIndex = chosen ?? names.length;
    },
    complain(text) {
      write(trouble, text);
      note.hidden = text !== "";
    },
    show(name, values, kernel, colours, compute) {
      if (shown[0] === values && shown[1] === kernel && shown[2] === colours) return said;
      shown = [values, kernel, colours];
      const features = compute();
      const [flat, limit] = [features.flat(), largest(features)];
      const [low, high] = [(a, b) => Math.min(a, b), (a, b) => Math.max(a, b)].map((pickOne) => short(flat.reduce(pickOne)));
      const [title, size, sizeOfMap] = [name[0].toUpperCase() + name.slice(1), bySize(values), bySize(features)];
      paint(image, values, 1, colours, `${title}, ${size} pixels`);
      paint(map, features, limit, colours, `Its feature map, ${sizeOfMap}, from ${low} to ${high}`);
      write(before, title);
      fill(scale, ...scaleEnds(limit));
      said = `${title}, ${size} pixels. Its feature map goes from ${low} to ${high}.`;
      return said;
    },
  };
}

const bySize = (rows) => `${rows.length} by ${rows[0].length}`;

function paint({ element, paint: draw }, rows, limit, colours, label) {
  const shape = [rows.length, rows[0].length];
  draw({ data: rows.flat(), shape }, limit, colours);
  element.setAttribute("aria-label", label);
  element.style.setProperty("--rows", shape[0]);
  element.style.setProperty("--columns", shape[1]);
  element.classList.toggle("d2l-photograph", shape[1] > 40);
}
