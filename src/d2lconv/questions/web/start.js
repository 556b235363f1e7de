/** Let questions and exercises answer. A choice works without scripts; this one announces what was chosen. */
import { make } from "./make.js";
import { answerBack, typed } from "./forms.js";

// ---- choices in the text: each option unfolds its explanation ----

function startChoice(place, keep) {
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
  const read = (one) => ({ gives: JSON.parse(one.dataset.gives), hint: one.querySelector("span").textContent });
  const [answer, ...wrong] = [...folded.querySelectorAll("[data-gives]")].map(read);
  const parts = folded.dataset.parts?.split("|") ?? [];
  const shape = [];
  for (let one = answer.gives; Array.isArray(one); one = one[0]) shape.push(one.length);
  const fields = parts.length ? { names: parts } : { shape };
  const told = { right: answer.gives, because: answer.hint, asked: folded.dataset.asked };
  return { kind: "value", name, parts, fields, wrong, ...told };
}

function startForm(place, keep, judging) {
  const rule = ruleOf(place);
  const reply = make("div", { role: "status" });
  const tell = (answer) => {
    answerBack(reply, answer);
    keep(rule.name, answer.correct);
  };
  const form = (rule.kind === "choice" ? letters : typed)(rule, tell, reply, judging);
  place.querySelector("noscript")?.remove();
  (place.querySelector(":scope > p") ?? place).after(...(place.dataset.rule ? [] : [form, reply]));
  if (place.dataset.rule) place.append(form, reply);
}

function letters({ right, wrong, ...rule }, tell, _, judging) {
  const all = [right, ...Object.keys(wrong)].sort();
  const buttons = all.map((letter) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, letter);
    button.addEventListener("click", async () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      const { judge } = await judging();
      tell(judge({ right, wrong, ...rule }, letter));
    });
    return button;
  });
  return make("fieldset", { class: "d2l-answer" }, make("legend", {}, WORDS.yourAnswer), ...buttons);
}

/** Start questions and exercises; `keep` gets the name of what is answered and whether the answer is right. */
export function start(places, keep, judging) {
  for (const place of places) (place.querySelector("details[name]") ? startChoice : startForm)(place, keep, judging);
}
