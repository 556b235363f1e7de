/** Maps as small pictures in the theme's colours. */

import { make, watchWidth } from "./base.js";

const THEMES = ["data-theme", "data-jp-theme-light", "theme"];
const WHITE = [255, 255, 255];

/** Read the colours of a view. @returns {Object<string, number[]>} red, green and blue of each */
export function readColours(root) {
  const style = getComputedStyle(root);
  const pen = make("canvas").getContext("2d");
  const read = (name) => {
    pen.fillStyle = style.getPropertyValue(`--${name}`).trim(); // which turns any notation into #rrggbb
    return [name, [1, 3, 5].map((i) => parseInt(pen.fillStyle.slice(i, i + 2), 16))];
  };
  return Object.fromEntries(["output", "kernel", "highlight"].map(read));
}

/**
 * Make a picture, one pixel for each number. How strong a pixel is says its opacity, its sign says the colour.
 * @param {string} kind "image", which is white on black, or the colour above zero: "output" or "kernel"
 * @param {function(?number[]): void} [onPoint] row and column that the pointer is at, or null
 * @returns {{element: Element, paint: function({data: ArrayLike<number>, shape: number[]}, number, Object): void,
 *   mark: function(?number[][]): void, cellAt: function(Event): number[]}}
 */
export function makeMap(kind, onPoint) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const frame = make("span", { class: "d2l-window", hidden: true });
  const element = make("span", { class: `d2l-plate d2l-plate-${kind}` }, canvas, frame);
  const context = canvas.getContext("2d");
  let shape = [1, 1];
  let painted = null; // what was painted last

  const cellAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const fractions = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    return fractions.map((fraction, axis) => Math.min(Math.max(Math.floor(fraction * shape[axis]), 0), shape[axis] - 1));
  };
  if (onPoint) {
    const move = (event) => event.pointerType !== "touch" && onPoint(cellAt(event));
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerleave", () => onPoint(null));
  }

  const isPainted = (data, limit, colours) =>
    painted?.limit === limit &&
    painted.colours === colours &&
    painted.size.every((length, axis) => length === shape[axis]) &&
    data.length === painted.data.length &&
    data.every((number, i) => number === painted.data[i]);

  /** Draw numbers of shape (height, width); of an image also three channels. */
  function paint({ data, shape: sizes }, limit, colours) {
    shape = sizes.slice(-2);
    const [height, width] = shape;
    if (isPainted(data, limit, colours)) return;
    painted = { data, size: [height, width], limit, colours };
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    element.style.setProperty("--ratio", width / height);
    const pixels = context.createImageData(width, height);
    const count = width * height;
    const coloured = data.length === 3 * count;
    for (let i = 0; i < count; i++) {
      const rgb = kind === "image" ? WHITE : data[i] < 0 ? colours.highlight : colours[kind];
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = coloured ? (255 * data[c * count + i]) / limit : rgb[c];
      pixels.data[4 * i + 3] = coloured ? 255 : (255 * Math.abs(data[i])) / limit;
    }
    context.putImageData(pixels, 0, 0);
  }

  /** Put a frame around [first, end] rows and columns. */
  function mark(sides) {
    const isEmpty = !sides || sides.some(([first, end]) => first >= end);
    if (frame.hidden !== isEmpty) frame.hidden = isEmpty;
    if (isEmpty) return;
    const names = [["top", "height"], ["left", "width"]];
    sides.forEach(([first, end], axis) => {
      frame.style[names[axis][0]] = `${(100 * first) / shape[axis]}%`;
      frame.style[names[axis][1]] = `${(100 * (end - first)) / shape[axis]}%`;
    });
  }

  return { element, paint, mark, cellAt };
}

/** Draw again when a view comes into the page, and when the page changes between light and dark. */
export function watchTheme(root, draw) {
  const themes = new MutationObserver(draw);
  for (const element of [document.documentElement, document.body]) {
    themes.observe(element, { attributes: true, attributeFilter: THEMES });
  }
  const system = matchMedia("(prefers-color-scheme: dark)"); // which a page may follow
  system.addEventListener("change", draw);
  const stop = watchWidth(root, draw);
  return () => {
    themes.disconnect();
    system.removeEventListener("change", draw);
    stop();
  };
}
