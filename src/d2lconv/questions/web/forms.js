/**
 * Inputs and replies of questions and exercises, and what this browser remembers of both.
 *
 * A choice works without scripts, which only announce what was chosen. Saved text is only ever set as text, and
 * what is remembered can hold anything: what is not as `keep` writes it is left out.
 */
import { readNumbers } from "./numbers.js";
import { judge, refuse } from "./rules.js";

const KEY = "d2lconv.answers";
const VERSION = 1;
const DAY = 86_400_000; // milliseconds

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// ---- what this browser remembers: for each question, whether it was right at first, and at last ----

const isKept = (one) =>
  typeof one?.first === "boolean" && typeof one.right === "boolean" && [one.tries, one.day].every(Number.isSafeInteger);

export function kept() {
  try {
    const { version, answers } = JSON.parse(localStorage.getItem(KEY));
    if (version === VERSION) return new Map(Object.entries(answers).filter(([, one]) => isKept(one)));
  } catch {
    // nothing there, or nothing that this script wrote
  }
  return new Map();
}

export function keep(name, isRight) {
  const answers = kept();
  const { first = isRight, right = false, tries = 0 } = answers.get(name) ?? {};
  const day = Math.floor(Date.now() / DAY);
  answers.set(name, { first, right: right || isRight, tries: tries + 1, day });
  try {
    localStorage.setItem(KEY, JSON.stringify({ version: VERSION, answers: Object.fromEntries(answers) }));
  } catch {
    // full, or forbidden
  }
}

// ---- typed answers ----

let inputs = 0;

function labelled(text, field, attributes = {}) {
  field.id = `d2l-answer-${++inputs}`;
  for (const [name, value] of Object.entries({ autocomplete: "off", spellcheck: "false", ...attributes })) {
    field.setAttribute(name, value);
  }
  return make("div", {}, make("label", { for: field.id }, text), field);
}

/** Make the inputs of a rule, and a function that reads them: a tensor, or what is wrong with the answer. */
function fieldsOf({ fields, asked }) {
  if (fields.shape) {
    const isMatrix = fields.shape.length === 2;
    const field = make(isMatrix ? "textarea" : "input", isMatrix ? { rows: 3 } : {});
    const text = () => (field.value.trim() ? "that can't be read as numbers." : "nothing is written there yet.");
    const read = () => readNumbers(field.value, fields.shape) ?? { wrong: field, text: text() };
    return [[labelled(`Your answer: ${asked}`, field)], [field], read];
  }
  const grid = fields.grid ?? [];
  const at = (n) => [Math.floor(n / 3) % 3, n % 3];
  const names = fields.names ?? Array.from({ length: grid.reduce((a, b) => a * b) }, (_, n) => `row ${at(n)[0]}, column ${at(n)[1]}`);
  const all = names.map(() => make("input", { inputmode: grid.length ? "decimal" : "text" }));
  const read = () => {
    const data = [];
    for (const [n, field] of all.entries()) {
      const number = grid.length && !field.value.trim() ? 0 : readNumbers(field.value, [])?.data;
      if (Array.isArray(number) && number.length !== 1) return { wrong: field, text: `${names[n]} should be one number.` };
      if (number === undefined) return { wrong: field, text: `${names[n]} should be a number, such as 4096 or 0.5.` };
      data.push([number].flat()[0]);
    }
    return { shape: grid.length ? grid : [data.length], data };
  };
  if (!grid.length) return [names.map((name, n) => labelled(name, all[n])), all, read];
  const slices = grid.length === 3 ? ["red", "green", "blue"] : [""];
  const boxes = slices.map((slice, i) => {
    const cells = all.slice(9 * i, 9 * i + 9);
    cells.forEach((field, n) => {
      field.placeholder = "0";
      field.setAttribute("aria-label", `${slice} ${names[n]}`.trim());
      field.autocomplete = "off";
    });
    const box = make("div", { class: "d2l-cells" }, ...cells);
    return slice ? make("fieldset", {}, make("legend", {}, slice), box) : box;
  });
  return [boxes, all, read];
}

/** Write a reply into an element that announces it. */
export function answerBack(element, { correct, summary, details, hint }) {
  const head = make("strong", {}, correct ? "Correct:" : "Not yet:");
  const list = details.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, make("pre", {}, text))]);
  const parts = [make("p", {}, make("span", { "aria-hidden": "true" }, correct ? "✓ " : "✗ "), head, ` ${summary}`)];
  if (list.length) parts.push(make("dl", {}, ...list));
  if (hint) parts.push(make("p", {}, make("b", {}, "Hint:"), ` ${hint}`));
  element.className = `d2l-reply ${correct ? "d2l-right" : "d2l-wrong"}`;
  element.replaceChildren(...parts);
}

export function typed(rule, tell, reply) {
  const [boxes, fields, read] = fieldsOf(rule);
  const form = make("form", { class: "d2l-answer" }, ...boxes, make("button", {}, "Check"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = read();
    for (const field of fields) field.toggleAttribute("aria-invalid", field === answer.wrong);
    if (!answer.wrong) return tell(judge(rule, answer));
    answerBack(reply, refuse(rule, answer.text));
    answer.wrong.focus();
  });
  return form;
}
