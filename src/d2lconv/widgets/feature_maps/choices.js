/** A row of things to choose one from. */

import { dress, make } from "../shared/base.js";

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

/**
 * Make a row to choose one of: by click, or with the arrow keys.
 * @param {string} label
 * @param {function(number): {element: Element}} build makes what one of them shows
 * @param {function(number): void} onPick
 * @returns {{element: Element, show: function(string[], number): Array}} takes a name for each, and the number of
 *   the chosen one; returns what was built
 */
export function makeChoices(label, build, onPick) {
  const element = make("div", { class: "d2l-choices", role: "radiogroup", "aria-label": label });
  let [items, contents] = [[], []];

  function pick(number) {
    if (!items[number]) return;
    items[number].focus();
    onPick(number);
  }
  const numberOf = (event) => items.indexOf(event.target.closest("[role=radio]"));
  element.addEventListener("click", (event) => pick(numberOf(event)));
  element.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    pick(Math.min(Math.max(numberOf(event) + STEPS[event.key], 0), items.length - 1));
  });

  function show(names, chosen) {
    if (items.length !== names.length) {
      contents = names.map((_, number) => build(number));
      items = contents.map((content) => make("div", { role: "radio" }, content.element));
      element.replaceChildren(...items);
    }
    items.forEach((item, number) => {
      const isChosen = number === chosen;
      dress(item, { "aria-label": names[number], "aria-checked": String(isChosen), tabindex: isChosen ? 0 : -1 });
    });
    return contents;
  }

  return { element, show };
}
