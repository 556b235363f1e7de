/** A field to draw on, with a finger, a mouse, or the arrow keys. */

import { change, make } from "../shared/base.js";
import { makeMap } from "../shared/maps.js";
import { inkLine, readDrawing, SIDE_DRAWN, writeDrawing } from "./preparing.js";

const PEN_MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const FAR = 4; // points, with Shift
const MOST_STROKES = 200; // that can be taken back
const PAD_NAME =
  "Drawing field, 32 by 32 points. Arrow keys move the pen, with Shift by 4 points; Space puts it down or lifts it; Backspace undoes a stroke.";

/**
 * Make the field. What is drawn goes to the model at once.
 * @param {Model} model
 * @param {function(): void} moved called when the pen has moved without ink
 * @returns {{element: Element, pen: {at: number[], isDown: boolean, isByKey: boolean},
 *   paint: function(Uint8Array, object): void, undo: function(): void, clear: function(): void,
 *   canUndo: function(): boolean}}
 */
export function makePad(model, moved) {
  const map = makeMap("image");
  const element = make("div", { class: "d2l-pad", role: "application", tabindex: 0, "aria-label": PAD_NAME }, map.element);
  const pen = { at: [SIDE_DRAWN / 4, SIDE_DRAWN / 2], isDown: false, isByKey: false };
  const strokes = []; // drawings, each before a stroke
  let [pointer, last] = [null, null]; // the one that draws, and where it was

  function remember() {
    strokes.push(model.get("drawing"));
    if (strokes.length > MOST_STROKES) strokes.shift();
  }

  function ink(from, to) {
    const drawn = writeDrawing(inkLine(readDrawing(model.get("drawing")), from, to, model.get("pen")));
    change(model, { drawing: drawn });
    moved();
  }

  function undo() {
    if (strokes.length) change(model, { drawing: strokes.pop() });
    pen.isDown = false;
    moved();
  }

  function clear() {
    if (model.get("drawing")) remember();
    pen.isDown = false;
    change(model, { drawing: "" });
    moved();
  }

  // ---- with a pointer ----

  /** Return row and column, with fractions, that a pointer is at. */
  function placeOf({ clientX, clientY }) {
    const box = map.element.getBoundingClientRect();
    return [(clientY - box.top) / box.height, (clientX - box.left) / box.width].map((share) => share * SIDE_DRAWN - 0.5);
  }

  element.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    event.preventDefault(); // no text is selected
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    Object.assign(pen, { isDown: false, isByKey: false });
    [pointer, last] = [event.pointerId, placeOf(event)];
    remember();
    ink(last, last);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const passed = event.getCoalescedEvents?.() ?? []; // of some browsers, none
    for (const one of passed.length ? passed : [event]) {
      const place = placeOf(one);
      ink(last, place);
      last = place;
    }
  });
  const lift = (event) => {
    if (event.pointerId === pointer) pointer = null;
  };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) element.addEventListener(name, lift);

  // ---- with keys ----

  function walk([down, right], points) {
    const before = pen.at;
    const inside = (index) => Math.min(Math.max(index, 0), SIDE_DRAWN - 1);
    pen.at = [inside(before[0] + down * points), inside(before[1] + right * points)];
    if (pen.isDown) ink(before, pen.at);
    else moved();
  }

  function toggle() {
    pen.isDown = !pen.isDown;
    if (!pen.isDown) return moved();
    remember();
    return ink(pen.at, pen.at);
  }

  element.addEventListener("keydown", (event) => {
    const isUndo = event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey));
    const act = event.key in PEN_MOVES
      ? () => walk(PEN_MOVES[event.key], event.shiftKey ? FAR : 1)
      : { " ": toggle, Delete: clear }[event.key] ?? (isUndo ? undo : null);
    if (!act) return;
    event.preventDefault();
    pen.isByKey = true;
    act();
  });
  element.addEventListener("blur", () => {
    Object.assign(pen, { isDown: false, isByKey: false });
    moved();
  });

  return {
    ...{ element, pen, undo, clear, canUndo: () => strokes.length > 0 },
    paint(points, colours) {
      map.paint({ data: points, shape: [SIDE_DRAWN, SIDE_DRAWN] }, 1, colours);
      map.mark(pen.isByKey ? pen.at.map((index) => [index, index + 1]) : null);
      element.classList.toggle("d2l-down", pen.isDown);
    },
  };
}
