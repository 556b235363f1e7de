/* What the theme says in onclick attributes, which the pages' security policy does not let run. */
(() => {
  "use strict";
  const PRESS = { print: () => print(), fullscreen: () => toggleFullScreen() };
  addEventListener("click", ({ target }) => PRESS[target.closest?.("[data-press]")?.dataset.press]?.());
})();
