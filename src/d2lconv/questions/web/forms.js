/** Inputs and replies of questions and exercises. Words come from words.json, which Python puts before this script. */
import { fill, make } from "./dom.js";

// ---- typed answers ----

let inputs = 0;

function labelled(text, field, attributes = {}) {
  field.id = `d2l-answer-${++inputs}`;
  for (const [name, value] of Object.entries({ autocomplete: "off", spellcheck: "false", ...attributes })) {
    field.setAttribute(name, value);
  }
  return make("div", {}, make("label", { for: field.id }, text), field);
}

/** Make the inputs of a rule, and a function that reads them, given `readNumbers`: a tensor, or what is wrong with it. */
function fieldsOf({ fields, asked }) {
  if (fields.shape) {
    const isMatrix = fields.shape.length === 2;
    const field = make(isMatrix ? "textarea" : "input", isMatrix ? { rows: 3 } : {});
    const text = () => (field.value.trim() ? WORDS.unreadable : WORDS.empty);
    const read = (readNumbers) => readNumbers(field.value, fields.shape) ?? { wrong: field, text: text() };
    return [[labelled(fill(WORDS.answerOf, { asked }), field)], [field], read];
  }
  const grid = fields.grid ?? [];
  const at = (n) => ({ row: Math.floor(n / 3) % 3, column: n % 3 });
  const names = fields.names ?? Array.from({ length: grid.reduce((a, b) => a * b) }, (_, n) => fill(WORDS.cell, at(n)));
  const all = names.map(() => make("input", { inputmode: grid.length ? "decimal" : "text" }));
  const read = (readNumbers) => {
    const data = [];
    for (const [n, field] of all.entries()) {
      const number = grid.length && !field.value.trim() ? 0 : readNumbers(field.value, [])?.data;
      if (Array.isArray(number) && number.length !== 1) return { wrong: field, text: fill(WORDS.oneNumber, { name: names[n] }) };
      if (number === undefined) return { wrong: field, text: fill(WORDS.aNumber, { name: names[n] }) };
      data.push([number].flat()[0]);
    }
    return { shape: grid.length ? grid : [data.length], data };
  };
  if (!grid.length) return [names.map((name, n) => labelled(name, all[n])), all, read];
  const slices = grid.length === 3 ? WORDS.colours : [""];
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
  const [boxes, fields, read] = fieldsOf(rule);
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
