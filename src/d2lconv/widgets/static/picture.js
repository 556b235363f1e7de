/** An image beside its feature map, pixel by pixel, in colours that follow the theme. */

import { make, short } from "./base.js";

const SIDE = 150; // pixels on the screen, at most

/**
 * Make the pair.
 * @param {string} before label of the image
 * @param {string} after label of the map
 * @returns {{element: Element, show: function(number[][], number[][]): void}}
 */
export function makePicture(before, after) {
  const [image, map] = [pixels("d2l-image"), pixels("d2l-map")];
  const scale = make("div", { class: "d2l-scale" });
  const figure = (drawing, label, ...more) => make("div", {}, drawing.element, make("div", { class: "d2l-caption" }, label), ...more);
  const element = make("div", { class: "d2l-row d2l-pictures" }, figure(image, before), figure(map, after, scale));
  let shown = null;

  return {
    element,
    show(values, features) {
      if (shown !== values) image.paint((shown = values), 1, `${before}, ${values.length} by ${values[0].length} pixels`);
      const flat = features.flat();
      const limit = Math.max(...flat.map(Math.abs)) || 1;
      const [low, high] = [Math.min(...flat), Math.max(...flat)].map(short);
      map.paint(features, limit, `${after}, ${features.length} by ${features[0].length}, from ${low} to ${high}`);
      const end = (value, name) => make("span", { class: `d2l-end d2l-${name}` }, value);
      scale.replaceChildren(end(short(-limit), "below"), end("0", "zero"), end(short(limit), "above"));
    },
  };
}

/** Make a drawing whose pixels are squares; their strength is an opacity, their colour is the theme's. */
function pixels(kind) {
  const element = make("svg", { class: `d2l-pixels ${kind}`, role: "img" });
  let squares = [];
  return {
    element,
    paint(values, limit, label) {
      const [height, width] = [values.length, values[0].length];
      if (element.getAttribute("viewBox") !== `0 0 ${width} ${height}`) {
        element.setAttribute("viewBox", `0 0 ${width} ${height}`);
        element.style.width = `${width * Math.max(Math.floor(SIDE / width), 1)}px`; // whole pixels: no seams
        const place = (_, i) => ({ x: i % width, y: Math.floor(i / width), width: 1, height: 1 });
        squares = Array.from({ length: width * height }, (...at) => make("rect", place(...at)));
        element.replaceChildren(...squares);
      }
      element.setAttribute("aria-label", label);
      values.flat().forEach((value, i) => {
        squares[i].setAttribute("class", value < 0 ? "d2l-below" : "");
        squares[i].setAttribute("fill-opacity", Math.abs(value / limit).toFixed(2));
      });
    },
  };
}
