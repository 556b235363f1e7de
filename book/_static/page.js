/* What pages need beyond Furo: boxes that scroll by keyboard, a key for the search, the current page in sight. */
(() => {
  "use strict";
  const say = (text) => window.d2lWords?.[text] ?? text;

  /*
   * Boxes that scroll, such as a long line of code, can be reached by Tab, so that the arrow keys move them; those
   * that fit are no stops. All are read before any is written: one layout is enough.
   */
  const BOXES = "pre, .math-display, .cell_output > .output, .table-wrapper";
  const sizes = new ResizeObserver((entries) => {
    const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    const boxes = entries.map(({ target }) => target.closest(BOXES));
    const stops = boxes.map(scrolls);
    boxes.forEach((box, number) => (stops[number] ? (box.tabIndex = 0) : box.removeAttribute("tabindex")));
  });
  for (const box of document.querySelectorAll(BOXES)) {
    sizes.observe(box);
    if (box.firstElementChild) sizes.observe(box.firstElementChild); // the content may change alone
  }

  /* Control and K, or a slash where nothing is typed, lead to the search. */
  const field = document.querySelector(".sidebar-search");
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const wanted = ((event.ctrlKey || event.metaKey) && event.key === "k") || (event.key === "/" && !typing);
    if (!wanted || !field) return;
    event.preventDefault();
    if (field.checkVisibility({ visibilityProperty: true }) && field.getBoundingClientRect().right > 0) field.focus();
    else location.assign(field.form.action);
  });

  /* Menu and contents of narrow windows: Furo's labels for boxes to tick, as buttons for those who use no pointer. */
  const boxes = { __navigation: say("Menu"), __toc: say("Contents of this page") };
  for (const [id, name] of Object.entries(boxes)) {
    const box = document.getElementById(id);
    for (const label of document.querySelectorAll(`.page label[for=${id}]`)) {
      const button = label.firstElementChild;
      Object.assign(button, { tabIndex: 0, role: "button", ariaLabel: name, ariaExpanded: "false" });
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        box.click();
      });
      box.addEventListener("change", () => (button.ariaExpanded = String(box.checked)));
    }
    addEventListener("keydown", ({ key }) => key === "Escape" && box.checked && box.click());
  }

  /* How much code a page shows, chosen once for all pages; of some, what prepares and draws is folded up. */
  const choice = document.getElementById("d2l-code");
  if (choice) {
    const fold = () => {
      for (const box of document.querySelectorAll("details.hide.above-input")) box.open = choice.value === "all";
    };
    choice.value = document.body.dataset.code;
    if (!choice.value) choice.value = document.body.dataset.code = "some";
    if (choice.value === "all") fold();
    choice.addEventListener("change", () => {
      localStorage.setItem("code", (document.body.dataset.code = choice.value));
      fold();
    });
  }

  /* A link into an optional section unfolds it. */
  const unfold = () => {
    const target = document.querySelector(":target");
    if (!target) return;
    const folds = [target.querySelector(":scope > details"), target.closest("details")];
    for (const fold of folds) if (fold?.matches(".d2l-optional")) fold.open = true;
    target.scrollIntoView();
  };
  if (document.querySelector(".d2l-optional")) {
    unfold();
    addEventListener("hashchange", unfold);
  }

  /*
   * The other language, at the section that is in sight or was asked for, with the same search. Who has followed this
   * link before, and comes to the start page from outside, gets the language chosen then.
   */
  const isEntrance = document.querySelector(".landing-lead") && !document.referrer.startsWith(`${location.origin}/`);
  for (const edition of document.querySelectorAll(".d2l-edition")) {
    if (isEntrance && localStorage.getItem("language") === edition.hreflang) location.replace(edition.href + location.hash);
    edition.addEventListener("click", () => {
      localStorage.setItem("language", edition.hreflang);
      edition.hash = [...document.querySelectorAll(".toc-tree .scroll-current > a")].pop()?.hash || location.hash;
      edition.search = location.search;
    });
  }

  const list = document.querySelector(".sidebar-scroll");
  const here = list?.querySelector(".current-page");
  const show = () => {
    const end = Math.min(list.getBoundingClientRect().bottom, innerHeight);
    const below = Math.max(0, here.getBoundingClientRect().bottom + 40 - end);
    list.scrollBy({ top: below, behavior: "instant" });
  };
  if (here) {
    show();
    addEventListener("resize", show);
  }
})();
