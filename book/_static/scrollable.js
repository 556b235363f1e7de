/*
 * Boxes that scroll, such as a long line of code, can be reached by Tab, so that the arrow keys move them; those
 * that fit are no stops. The theme asks all boxes of a page at once, again whenever the page changes, and so has
 * everything laid out. Here a box is asked when it is laid out anyway, and when something changes in it.
 */
(() => {
  "use strict";
  const BOXES =
    "pre, .math-display, .nboutput > .output_area, .cell_output > .output, .jp-RenderedHTMLCommon, " +
    ".pst-scrollable-table-container";
  const PAUSE = 300; // milliseconds after the last of many changes

  function update(boxes) {
    const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    const stops = boxes.map(scrolls); // all are read before any is written: one layout is enough
    boxes.forEach((box, number) => (stops[number] ? (box.tabIndex = 0) : box.removeAttribute("tabindex")));
  }

  const sizes = new ResizeObserver((entries) => update(entries.map(({ target }) => target)));
  for (const box of document.querySelectorAll(BOXES)) sizes.observe(box);

  const changed = new Set();
  let timer;
  const contents = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const box = target.closest?.(BOXES);
      if (box) changed.add(box);
    }
    clearTimeout(timer);
    timer = setTimeout(() => {
      update([...changed]);
      changed.clear();
    }, PAUSE);
  });
  contents.observe(document.querySelector("main") ?? document.body, { subtree: true, childList: true });
})();
