/** Let the questions and exercises of a page answer. A choice works without scripts; this one announces it. */
import { answerBack, keep, kept, make, typed } from "./forms.js";
import { judge } from "./rules.js";

// ---- choices in the text: each option unfolds its explanation ----

function startChoice(place) {
  const said = make("p", { class: "d2l-unseen", role: "status" });
  place.append(said);
  for (const option of place.querySelectorAll("details")) {
    option.addEventListener("toggle", () => {
      if (!option.open) return;
      keep(place.dataset.ask, "right" in option.dataset);
      said.textContent = option.lastElementChild.textContent;
    });
  }
}

// ---- exercises, and questions whose answer is typed ----

/** Read the rule of an exercise, whose letters are replaced, or that of a question, which is its folded answer. */
function ruleOf(place) {
  const name = place.dataset.ask;
  if (place.dataset.rule) {
    const letter = (c) => String.fromCharCode(33 + ((c.charCodeAt(0) + 14) % 94));
    return JSON.parse(place.dataset.rule.replace(/[!-~]/g, letter));
  }
  const folded = place.querySelector("details");
  const read = (one) => ({ name: "", gives: JSON.parse(one.dataset.gives), hint: one.querySelector("span").textContent });
  const [answer, ...wrong] = [...folded.querySelectorAll("[data-gives]")].map(read);
  const parts = folded.dataset.parts?.split("|") ?? [];
  const shape = [];
  for (let one = answer.gives; Array.isArray(one); one = one[0]) shape.push(one.length);
  const fields = parts.length ? { names: parts } : { shape };
  const told = { right: answer.gives, because: answer.hint, asked: folded.dataset.asked };
  return { kind: "value", name, parts, fields, wrong, ...told };
}

function startForm(place) {
  const rule = ruleOf(place);
  const reply = make("div", { role: "status" });
  const tell = (answer) => {
    answerBack(reply, answer);
    keep(rule.name, answer.correct);
  };
  const form = rule.kind === "choice" ? letters(rule, tell) : typed(rule, tell, reply);
  place.querySelector("noscript")?.remove();
  (place.querySelector(":scope > p") ?? place).after(...(place.dataset.rule ? [] : [form, reply]));
  if (place.dataset.rule) place.append(form, reply);
}

function letters({ right, wrong, ...rule }, tell) {
  const all = [right, ...Object.keys(wrong)].sort();
  const buttons = all.map((letter) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, letter);
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      tell(judge({ right, wrong, ...rule }, letter));
    });
    return button;
  });
  return make("fieldset", { class: "d2l-answer" }, make("legend", {}, "Your answer"), ...buttons);
}

const places = [...document.querySelectorAll(".d2l-ask")];
const answers = kept();
for (const place of places) {
  if (place.querySelector("details[name]")) startChoice(place);
  else startForm(place);
  place.classList.toggle("d2l-known", answers.get(place.dataset.ask)?.right ?? false);
}
places[0]?.append(make("p", { class: "d2l-kept" }, "What you answer stays in this browser; nothing is sent."));
