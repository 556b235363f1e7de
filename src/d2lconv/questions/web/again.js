/** Questions of other chapters, brought to a page. */
import { fill } from "./fill.js";
import { judging, load } from "./load.js";
import { make } from "./make.js";
import { chapterOf, listed, remember } from "./page.js";
import { start } from "./start.js";

/** Return the address of a chapter's page, which lies beside this one. */
const pageOf = (name) => new URL(`${chapterOf(name)}.html`, location).href;

/** Return the link to the page of a question in the side bar. */
const linkTo = (name) => [...document.querySelectorAll(".sidebar-tree a")].find(({ href }) => href.split("#")[0] === pageOf(name));

const isExercise = (name) => /\.\d+$/.test(name);

/** Tell whether a question or exercise is still there: what is kept can name any. */
export const isThere = (name) => linkTo(name) && (isExercise(name) || listed.includes(name) || listed.includes(`${name}*`));

/** Make what is shown of a question, or of an exercise or a question about a figure: a link to it. */
async function shown(name) {
  const link = make("a", { href: `${pageOf(name)}#ask-${name.replace(/[._]/g, "-")}` }, linkTo(name).firstChild.textContent);
  if (isExercise(name)) return make("p", {}, `${fill(WORDS.exercise, { n: name.split(".")[1] })} `, link);
  if (!listed.includes(name)) return make("p", {}, `${WORDS.looksBack} `, link);
  // A script, since browsers read no other file from a disk; it holds the question as its page does.
  if (!self.d2lQuestions?.[name]) await load(new URL(`questions/${name}.js`, location)).catch(() => null);
  const box = make("div");
  box.innerHTML = self.d2lQuestions?.[name] ?? WORDS.noData; // written by the site, never what is stored
  box.append(make("p", { class: "d2l-kept" }, `${WORDS.from} `, link));
  return box;
}

/** Show questions and exercises, which are there. */
export async function show(place, names) {
  place.append(...(await Promise.all(names.map(shown))));
  start(place.querySelectorAll(".d2l-ask"), remember, judging);
}
