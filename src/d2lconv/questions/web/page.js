/** The questions and exercises of a page, and those of other chapters that are brought to it. */
import { judging } from "./load.js";
import { make } from "./make.js";
import { start } from "./start.js";
import { keep, kept } from "./store.js";

const places = [...document.querySelectorAll(".d2l-ask")];
const here = places.filter((place) => !place.dataset.rule).map((place) => place.dataset.ask);

/** Questions that may be brought here, in the order of the course; those with a star need the page that they stand on. */
export const listed = document.querySelector("[data-listed]")?.dataset.listed.split(" ") ?? [];
export const chapterOf = (name) => name.split(".")[0];

/** Remember an answer. */
export function remember(name, isRight) {
  const all = [...here, ...listed.map((one) => one.replace("*", ""))];
  keep(name, isRight, all.filter((one) => chapterOf(one) === chapterOf(name)));
}

start(places, remember, judging);
const { answers } = kept();
for (const place of places) place.classList.toggle("d2l-known", answers.get(place.dataset.ask)?.right ?? false);
places[0]?.append(make("p", { class: "d2l-kept" }, `${WORDS.kept} `, make("a", { href: "review.html" }, WORDS.due), "."));
