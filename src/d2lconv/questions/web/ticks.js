/** A tick beside the chapters whose questions were all answered, in the side bar and on the start page. */

function tick() {
  let isDone = () => false;
  try {
    const { done } = JSON.parse(localStorage.getItem("d2lconv.answers")); // as store.js writes it, or anything else
    const pages = done.map((chapter) => `/${chapter}.html`);
    isDone = (link) => !link.hash && pages.some((page) => link.pathname.endsWith(page));
  } catch {
    // nothing there, or nothing that store.js wrote
  }
  for (const link of document.querySelectorAll(".sidebar-tree a, article ol a:first-child")) {
    link.querySelector(".d2l-tick")?.remove();
    if (!isDone(link)) continue;
    const mark = document.createElement("span");
    mark.className = "d2l-tick";
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", WORDS.doneChapter);
    mark.textContent = " ✓";
    link.append(mark);
  }
}

tick();
for (const change of ["d2l-kept", "storage"]) addEventListener(change, tick);
