/** Questions that come back: two from before at the start of a chapter, and all that are due on a page of their own. */
import { fill, make } from "./dom.js";
import { daysLeft, kept, MOST_LETTERS, read, save, write } from "./store.js";

const TEN = 10; // at once

/** Return the address of a chapter's page, which lies beside this one. */
const pageOf = (chapter) => new URL(`${chapter}.html`, location.href.replace(/[?#].*/, ""));

/** Return the link to a chapter in the side bar. */
const linkTo = (chapter) => [...document.querySelectorAll(".sidebar-tree a")].find(({ href }) => href.split("#")[0] === pageOf(chapter).href);

// ---- a chapter's questions: a script beside its page, since browsers read no other file from a disk ----

/** @returns {Promise<Object<string, string>>} by name, each question as on its page; none if there is no such script */
function questionsOf(chapter) {
  self.d2lQuestions ??= {};
  return new Promise((resolve) => {
    const done = () => resolve(self.d2lQuestions[chapter] ?? {});
    if (self.d2lQuestions[chapter] || !linkTo(chapter)) return done();
    const script = make("script", { src: pageOf(chapter).href.replace(/\.html$/, "-questions.js") });
    script.addEventListener("load", done);
    script.addEventListener("error", done);
    return document.head.append(script);
  });
}

/** Make what is shown of a question, or of an exercise or a question about a figure: a link to it. Null if it is gone. */
async function shown(name) {
  const [chapter, word] = name.split(".");
  const title = linkTo(chapter)?.firstChild.textContent;
  if (!title) return null;
  const isExercise = /^\d+$/.test(word);
  const found = isExercise ? null : (await questionsOf(chapter))[name];
  if (!isExercise && !found) return null;
  const href = `${pageOf(chapter).href}#ask-${name.replace(/[._]/g, "-")}`;
  if (!isExercise && !found.includes("data-here")) {
    const box = make("div");
    box.innerHTML = found; // written by the site, never what is stored
    box.append(make("p", { class: "d2l-kept" }, `${WORDS.from} `, make("a", { href }, title)));
    return box;
  }
  const text = isExercise ? fill(WORDS.exercise, { n: word }) : WORDS.looksBack;
  return make("p", {}, `${text} `, make("a", { href }, title));
}

/** Show what there still is of some names, as many as given, and return how many there are. */
async function show(place, names, most) {
  const found = (await Promise.all(names.map(shown))).filter(Boolean);
  place.append(...found.slice(0, most));
  place.dispatchEvent(new Event("d2l-new", { bubbles: true }));
  return found.length;
}

// ---- two questions from before ----

/** Choose two: what is due, what was missed, else the same for all readers of this chapter. */
async function two(chapters) {
  const askable = async (chapter) => Object.entries(await questionsOf(chapter)).flatMap(([name, text]) => (text.includes("data-here") ? [] : [name]));
  const chosen = [];
  const missed = [...kept().answers].filter(([name, one]) => daysLeft(one) < Infinity && chapters.includes(name.split(".")[0]));
  for (const [name] of missed.sort(([, a], [, b]) => daysLeft(a) - daysLeft(b))) {
    if (chosen.length < 2 && (await askable(name.split(".")[0])).includes(name)) chosen.push(name);
  }
  const last = chapters.length - 1;
  for (const chapter of [chapters[last], chapters[last >> 1]]) {
    const others = (await askable(chapter)).filter((name) => !chosen.includes(name));
    if (chosen.length < 2 && others.length) chosen.push(others[last % others.length]);
  }
  return chosen;
}

for (const box of document.querySelectorAll(".d2l-review")) {
  two(box.dataset.before.split(" ")).then((names) => show(box, names, 2)).then((n) => n || box.append(make("p", {}, WORDS.noData)));
}

// ---- the page of what is due, and of what is kept ----

function whenDue(days, n) {
  if (n) return fill(n > TEN ? WORDS.dueMore : WORDS.dueNow, { n, most: TEN });
  const next = Math.min(...days.filter((one) => one > 0));
  if (next === Infinity) return WORDS.nothingDue;
  return next === 1 ? WORDS.tomorrow : fill(WORDS.nextDue, { n: next });
}

async function showDue(place) {
  const all = [...kept().answers].map(([name, one]) => [name, daysLeft(one)]).sort(([, a], [, b]) => a - b);
  const said = make("p");
  place.replaceChildren(said);
  const n = await show(place, all.flatMap(([name, days]) => (days > 0 ? [] : [name])), TEN);
  said.textContent = whenDue(all.map(([, days]) => days), n);
}

/** Put answers from a file beside those that are kept; of each, the later one stays. */
function join(mine, theirs) {
  const isLater = ([name, one]) => !(mine.answers.get(name)?.day > one.day);
  return { answers: new Map([...mine.answers, ...[...theirs.answers].filter(isLater)]), done: [...new Set([...mine.done, ...theirs.done])] };
}

function showKept(place, again) {
  const said = make("p", { role: "status" });
  const tell = (text) => {
    said.textContent = text;
    again();
  };
  const button = (text, act) => {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  };
  const file = make("input", { type: "file", accept: ".json,application/json", "aria-label": WORDS.load, hidden: "" });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    const theirs = chosen.size > MOST_LETTERS ? read(null) : read(await chosen.text());
    file.value = "";
    if (!theirs.answers.size) return tell(WORDS.notAnswers);
    save(join(kept(), theirs));
    return tell(fill(WORDS.loaded, { n: theirs.answers.size }));
  });
  const download = () => {
    const href = URL.createObjectURL(new Blob([write(kept())], { type: "application/json" }));
    make("a", { href, download: "d2lconv-answers.json" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  };
  const forget = () => {
    if (!confirm(WORDS.forgetSure)) return;
    save(read(null));
    tell(WORDS.forgotten);
  };
  place.replaceChildren(make("div", { class: "d2l-answer" }, button(WORDS.save, download), button(WORDS.load, () => file.click()), button(WORDS.forget, forget), file), said);
  said.textContent = fill(WORDS.allKept, { n: kept().answers.size });
}

const due = document.querySelector(".d2l-due");
if (due) {
  showDue(due);
  showKept(document.querySelector(".d2l-answers"), () => showDue(due));
}
