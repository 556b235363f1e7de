/** An image beside its feature map, pixel by pixel, in colours that follow the theme. */

import { dress, fill, largest, make, scaleEnds, short } from "../shared/base.js";

const SIDE = 150; // pixels on the screen, at most

/**
 * Make the pair.
 * @param {string} before label of the image
 * @param {string} after label of the map
 * @returns {{element: Element, show: function(number[][], number[][], function(): number[][]): void}} shows an
 *   image, a kernel and, where one of the two is new, what the kernel gives
 */
export function makePicture(before, after) {
  const [image, map] = [makePixels("d2l-image"), makePixels("d2l-map")];
  const scale = make("div", { class: "d2l-scale" });
  const figure = (drawing, label, ...more) => make("div", {}, drawing.element, make("div", { class: "d2l-caption" }, label), ...more);
  const element = make("div", { class: "d2l-row d2l-pictures" }, figure(image, before), figure(map, after, scale));
  let shown = [];

  return {
    element,
    show(values, kernel, compute) {
      if (shown[0] === values && shown[1] === kernel) return;
      if (shown[0] !== values) image.paint(values, 1, `${before}, ${values.length} by ${values[0].length} pixels`);
      shown = [values, kernel];
      const features = compute();
      const flat = features.flat();
      const limit = largest(features);
      const [low, high] = [Math.min(...flat), Math.max(...flat)].map(short);
      map.paint(features, limit, `${after}, ${features.length} by ${features[0].length}, from ${low} to ${high}`);
      fill(scale, ...scaleEnds(limit));
    },
  };
}

/**
 * Make a drawing whose pixels are squares; their strength is an opacity, their colour is the theme's. Those of the
 * same strength are one path: a browser lays out and paints a hundred paths sooner than a thousand squares.
 */
function makePixels(name) {
  const element = make("svg", { class: `d2l-pixels ${name}`, role: "img" });
  return {
    element,
    paint(values, limit, label) {
      const [height, width] = [values.length, values[0].length];
      const paths = new Map(); // squares by strength
      values.flat().forEach((value, i) => {
        const strength = (value / limit).toFixed(2);
        const square = `M${i % width} ${Math.floor(i / width)}h1v1h-1z`;
        if (Number(strength)) paths.set(strength, (paths.get(strength) ?? "") + square);
      });
      dress(element, { "aria-label": label, viewBox: `0 0 ${width} ${height}` });
      element.style.width = `${width * Math.max(Math.floor(SIDE / width), 1)}px`; // whole pixels: no seams
      const drawn = [...paths].map(([strength, d]) => [
        "path",
        { class: strength < 0 && "d2l-below", "fill-opacity": Math.abs(strength), d },
      ]);
      fill(element, ...drawn);
    },
  };
}
