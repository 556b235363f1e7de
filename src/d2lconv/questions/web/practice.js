/** The page of drills: ten problems of a family and level, the same ten for everybody who opens the same address. */
import { fill } from "./fill.js";
import { make } from "./make.js";
import { FAMILIES, problem } from "./drills.js";
import { answerBack, labelled, typed } from "./forms.js";
import { judging } from "./judging.js";

const TEN = 10;
const LEVELS = [1, 2, 3];
const MOST = 1_000_000; // seeds, so that addresses stay short

/** Read family, level and seed from an address such as practice.html#size.2.35; what is missing is chosen. */
function setOf(hash) {
  const [family, level, seed] = decodeURIComponent(hash.replace(/^#/, "")).split(".");
  return {
    family: Object.hasOwn(FAMILIES, family) ? family : Object.keys(FAMILIES)[0],
    level: LEVELS.includes(Number(level)) ? Number(level) : 1,
    seed: /^\d{1,6}$/.test(seed) ? Number(seed) : Math.floor(Math.random() * MOST),
  };
}

const safely = (hash) => {
  try {
    return setOf(hash);
  } catch {
    return setOf(""); // an address with a broken escape
  }
};

function choice(label, options, chosen, choose) {
  const select = make("select");
  for (const [value, text] of options) select.append(make("option", { value }, text));
  select.value = chosen;
  select.addEventListener("change", () => choose(select.value));
  return labelled(label, select);
}

function table(name, rows) {
  const body = make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((value) => make("td", {}, String(value).replace("-", "−"))))));
  return make("table", { class: "d2l-matrix" }, make("caption", {}, name), body);
}

function start(place) {
  const fixed = place.dataset.set; // in a notebook, whose address says nothing
  let set = safely(fixed ?? location.hash);
  let [number, first] = [0, []]; // which of the ten; whether each was right at the first try

  function move(change, isNext = false) {
    set = { ...set, ...change };
    [number, first] = [0, []];
    if (!fixed) history.replaceState(null, "", `#${set.family}.${set.level}.${set.seed}`);
    draw(isNext);
  }

  function draw(isNext = false) {
    const { family, level, seed } = set;
    const made = problem(family, level, seed * TEN + number);
    const parts = made.parts ?? [];
    const asked = parts.length ? parts.join(WORDS.and) : WORDS.single;
    const wrong = made.wrong.map(([gives, hint]) => ({ gives, hint }));
    const fields = parts.length ? { names: parts } : { shape: [] };
    const rule = { kind: "value", name: `practice.${family}`, right: made.right, because: made.steps.at(-1), wrong, parts, asked, fields };
    const reply = make("div", { role: "status" });
    const score = make("p", { class: "d2l-kept" });
    const tell = (answer) => {
      answerBack(reply, answer);
      first[number] ??= answer.correct;
      show();
    };
    const show = () => {
      const tried = first.filter((one) => one !== undefined).length;
      score.textContent = tried ? fill(WORDS.firstTries, { n: first.filter(Boolean).length, tried }) : "";
    };
    const form = typed(rule, tell, reply, judging);
    const steps = make("details", {}, make("summary", {}, WORDS.steps), make("ol", {}, ...made.steps.map((step) => make("li", {}, step))));
    const heading = make("h2", { tabindex: "-1" }, fill(WORDS.problem, { n: number + 1, most: TEN }));
    const shown = Object.entries(made.shown ?? {}).map(([name, rows]) => table(name, rows));
    const next = make("button", { type: "button" }, number + 1 < TEN ? WORDS.next : WORDS.more);
    next.addEventListener("click", () => {
      if (number + 1 === TEN) return move({ seed: (seed + 1) % MOST }, true);
      number += 1;
      return draw(true);
    });
    const families = Object.entries(FAMILIES).map(([name, [title]]) => [name, title]);
    const controls = make("div", { class: "d2l-answer" },
      choice(WORDS.family, families, family, (value) => move({ family: value })),
      choice(WORDS.level, LEVELS.map((one) => [one, String(one)]), level, (value) => move({ level: Number(value) })));
    const box = make("div", { class: "d2l-ask" }, make("p", {}, made.prompt), make("div", { class: "d2l-matrices" }, ...shown), form, reply, steps);
    place.replaceChildren(controls, heading, box, make("div", { class: "d2l-answer" }, next), score);
    show();
    if (isNext) heading.focus();
  }

  addEventListener("hashchange", () => !fixed && move(safely(location.hash)));
  move({});
}

for (const place of document.querySelectorAll(".d2l-practice:not(:has(form))")) start(place);
