/** Two questions from before, in a box at the start of a chapter. */
import { show } from "./again.js";
import { chapterOf, listed } from "./page.js";
import { daysLeft, kept } from "./store.js";

/** Choose two: what is due, what was missed, else the same for all readers of this chapter. */
function two() {
  const alone = listed.filter((name) => !name.endsWith("*"));
  const left = (name) => daysLeft(kept().answers.get(name) ?? {});
  const chosen = alone.filter((name) => left(name) < Infinity).sort((a, b) => left(a) - left(b)).slice(0, 2);
  const chapters = [...new Set(listed.map(chapterOf))];
  const last = chapters.length - 1;
  for (const chapter of [chapters[last], chapters[last >> 1]]) {
    const others = alone.filter((name) => chapterOf(name) === chapter && !chosen.includes(name));
    if (chosen.length < 2) chosen.push(others[last % others.length]);
  }
  return chosen;
}

for (const box of document.querySelectorAll(".d2l-review")) box.addEventListener("toggle", () => show(box, two()), { once: true });
