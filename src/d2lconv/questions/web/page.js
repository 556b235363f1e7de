/** The questions and exercises of a page, and those that review.js brings to it. */
import { make } from "./dom.js";
import { judging, load } from "./load.js";
import { start } from "./start.js";
import { keep, kept } from "./store.js";

const placesOf = (root) => [...root.querySelectorAll(".d2l-ask")];
const places = placesOf(document);
const here = places.filter((place) => !place.dataset.rule).map((place) => place.dataset.ask);

/** Remember an answer, to a question of this page or of a chapter that review.js has loaded. */
function remember(name, isRight) {
  const [chapter] = name.split(".");
  keep(name, isRight, Object.keys(self.d2lQuestions?.[chapter] ?? {}).concat(here).filter((one) => one.startsWith(`${chapter}.`)));
}

start(places, remember, judging);
const { answers } = kept();
for (const place of places) place.classList.toggle("d2l-known", answers.get(place.dataset.ask)?.right ?? false);
places[0]?.append(make("p", { class: "d2l-kept" }, `${WORDS.kept} `, make("a", { href: "review.html" }, WORDS.due), "."));

document.addEventListener("d2l-new", ({ target }) => start(placesOf(target), remember, judging));
for (const box of document.querySelectorAll(".d2l-review")) box.addEventListener("toggle", () => load("review.js"), { once: true });
