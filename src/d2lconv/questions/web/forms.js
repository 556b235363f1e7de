/** Inputs and replies of questions and exercises. Words come from words.json, which Python puts before this script. */
import { fill } from "./fill.js";
import { make } from "./make.js";

// ---- typed answers ----

let inputs = Math.floor(Math.random() * 1e9); // a notebook can hold several drills

export function labelled(text, field, attributes = {}) {
  field.id = `d2l-answer-${++inputs}`;
  for (const [name, value] of Object.entries({ autocomplete: "off", spellcheck: "false", ...attributes })) {
    field.setAttribute(name, value);
  }
  return make("div", {}, make("label", { for: field.id }, text), field);
}

/** Ask for numbers of some shape in one field. */
function shaped({ fields: { shape }, asked }) {
  const isMatrix = shape.length === 2;
  const field = make(isMatrix ? "textarea" : "input", isMatrix ? { rows: 3 } : {});
  const text = () => (field.value.trim() ? WORDS.unreadable : WORDS.empty);
  const read = (readNumbers) => readNumbers(field.value, shape) ?? { wrong: field, text: text() };
  return [[labelled(fill(WORDS.answerOf, { asked }), field)], [field], read];
}

/** Read one number from each field. */
export function readEach(all, names, readNumbers) {
  const data = [];
  for (const [n, field] of all.entries()) {
    const number = readNumbers(field.value.trim() || field.placeholder, [])?.data;
    if (Array.isArray(number) && number.length !== 1) return { wrong: field, text: fill(WORDS.oneNumber, { name: names[n] }) };
    if (!number) return { wrong: field, text: fill(WORDS.aNumber, { name: names[n] }) };
    data.push(number[0]);
  }
  return { shape: [data.length], data };
}

/** Ask for numbers that have names. */
function named({ fields: { names } }) {
  const all = names.map(() => make("input"));
  return [names.map((name, n) => labelled(name, all[n])), all, (readNumbers) => readEach(all, names, readNumbers)];
}

/**
 * By what the fields of a rule have: what makes inputs with labels, the inputs alone, and a function that reads them,
 * given `readNumbers`: a tensor, or what is wrong with it. cells.js adds another way.
 */
export const FIELDS = { shape: shaped, names: named };

/** Write a reply into an element that announces it. */
export function answerBack(element, { correct, summary, details, hint }) {
  const head = make("strong", {}, correct ? WORDS.correct : WORDS.notYet);
  const list = details.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, make("pre", {}, text))]);
  const parts = [make("p", {}, make("span", { "aria-hidden": "true" }, correct ? "✓ " : "✗ "), head, ` ${summary}`)];
  if (list.length) parts.push(make("dl", {}, ...list));
  if (hint) parts.push(make("p", {}, make("b", {}, WORDS.hint), ` ${hint}`));
  element.className = `d2l-reply ${correct ? "d2l-right" : "d2l-wrong"}`;
  element.replaceChildren(...parts);
}

/**
 * Make the form of a rule.
 * @param {object} rule
 * @param {function} tell gets the reply
 * @param {Element} reply
 * @param {function} judging promises `judge`, `refuse` and `readNumbers`
 */
export function typed(rule, tell, reply, judging) {
  const [boxes, fields, read] = FIELDS[Object.keys(FIELDS).find((kind) => rule.fields[kind])](rule);
  const form = make("form", { class: "d2l-answer" }, ...boxes, make("button", {}, WORDS.check));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { judge, refuse, readNumbers } = await judging();
    const answer = read(readNumbers);
    for (const field of fields) field.toggleAttribute("aria-invalid", field === answer.wrong);
    if (!answer.wrong) return tell(judge(rule, answer));
    answerBack(reply, refuse(rule, answer.text));
    return answer.wrong.focus();
  });
  return form;
}
