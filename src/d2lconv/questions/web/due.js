/** The page of what is due, and of what is kept. */
import { isThere, show } from "./again.js";
import { fill } from "./fill.js";
import { make } from "./make.js";
import { daysLeft, kept, MOST_LETTERS, read, save, write } from "./store.js";

const TEN = 10; // at once

function whenDue(days, n) {
  if (n) return fill(n > TEN ? WORDS.dueMore : WORDS.dueNow, { n, most: TEN });
  const next = Math.min(...days.filter((one) => one > 0));
  if (next === Infinity) return WORDS.nothingDue;
  return next === 1 ? WORDS.tomorrow : fill(WORDS.nextDue, { n: next });
}

function showDue(place) {
  const all = [...kept().answers].map(([name, one]) => [name, daysLeft(one)]).sort(([, a], [, b]) => a - b);
  const names = all.flatMap(([name, days]) => (days <= 0 && isThere(name) ? [name] : []));
  place.classList.toggle("d2l-some", names.length > 0);
  place.replaceChildren(make("p", {}, whenDue(all.map(([, days]) => days), names.length)));
  show(place, names.slice(0, TEN));
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
showDue(due);
showKept(document.querySelector(".d2l-answers"), () => showDue(due));
