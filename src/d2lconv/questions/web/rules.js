/**
 * What an answer is told, as d2lconv.exercises tells it: tests ask both. A rule is what questions/web.py writes of a
 * question or exercise.
 *
 * @typedef {{correct: boolean, summary: string, details: string[][], misconception: string, hint: string}} Reply
 */
import { generalHint } from "./hints.js";
import { differing, same, sameShape, show, tensor, tuple } from "./numbers.js";

export const right = (summary) => ({ correct: true, summary, details: [], misconception: "", hint: "" });
export const notYet = (summary, details = [], [misconception, hint] = ["", ""]) => ({
  ...{ correct: false, summary, details, misconception, hint },
});

/** @param {object} rule @param {string} letter @returns {Reply} */
function judgeChoice({ right: wanted, because, wrong }, letter) {
  return letter === wanted ? right(because) : notYet(`${letter} is wrong.`, [], [letter, wrong[letter]]);
}

// ---- values ----

function counted({ shape, data }) {
  if (!shape.length) return "one number";
  return shape.length === 1 ? `${data.length} numbers` : `numbers of shape ${tuple(shape)}`;
}

function verdict({ parts }, given, expected) {
  if (!sameShape(given, expected)) {
    return `you gave ${counted(given)}, but ${counted(expected)} ${expected.shape.length ? "are" : "is"} asked for.`;
  }
  const total = expected.data.length;
  if (total === 1) return "the number is another one.";
  const apart = differing(given, expected);
  if (parts.length) {
    const named = (isRight) => parts.filter((_, n) => apart.includes(n) !== isRight).join(", ");
    const told = [["right", named(true)], ["not right", named(false)]];
    return `${told.filter(([, names]) => names).map(([word, names]) => `${word}: ${names}`).join("; ")}.`;
  }
  const count = `${total - apart.length} of ${total} numbers are right`;
  if (expected.shape.length !== 2 || apart.length !== 1) return `${count}.`;
  const [row, column] = [Math.floor(apart[0] / expected.shape[1]), apart[0] % expected.shape[1]];
  return `${count}. Look again at row ${row}, column ${column}, counted from 0.`;
}

function misconceptionOf({ wrong, asked, parts }, given, expected) {
  const known = wrong.find(({ gives }) => same(given, tensor(gives)));
  if (known) return [known.name, known.hint];
  if (given.data.length !== expected.data.length) return ["number of values", `Asked for: ${asked}.`];
  const swapped = { shape: given.shape, data: [...given.data].reverse() };
  if (given.data.length === 2 && parts.length && same(swapped, expected)) {
    return ["numbers swapped", `The numbers are right. Which comes first: ${parts.join(" or ")}?`];
  }
  const found = generalHint([[given, expected]]);
  const isEmpty = given.data.length > 1 && given.shape.length === 1 && ["mirrored", "rounded"].includes(found[0]);
  return isEmpty ? ["", ""] : found;
}

/** @param {object} rule @param {Tensor} given @returns {Reply} */
function judgeValue(rule, given) {
  const expected = tensor(rule.right);
  const total = expected.data.length;
  if (same(given, expected)) return right(rule.because ?? `${total} number${total > 1 ? "s" : ""}.`);
  return notYet(verdict(rule, given, expected), [["given", show(given)]], misconceptionOf(rule, given, expected));
}

// ---- all of them ----

/** By kind of rule; settings.js adds its own where a page needs it. */
export const JUDGES = { choice: judgeChoice, value: judgeValue };

/** Reply to what is not of the kind that is asked for. @returns {Reply} */
export const refuse = ({ asked }, what) => notYet(what, [], ["wrong kind", `Asked for: ${asked}.`]);

/** Say what is wrong with numbers that have names and limits; null if nothing is. */
function problemOf({ names, least }, { data }) {
  const wrong = data.findIndex((value) => !Number.isInteger(value));
  if (wrong >= 0) return `${names[wrong]} should be one whole number, you gave ${data[wrong]}.`;
  const low = data.findIndex((value, n) => value < least[n]);
  return low < 0 ? null : `${names[low]} should be at least ${least[low]}, you gave ${data[low]}.`;
}

/**
 * Judge an answer.
 * @param {object} rule
 * @param {string|Tensor} answer a letter, or numbers
 * @returns {Reply}
 */
export function judge(rule, answer) {
  const problem = rule.fields?.least ? problemOf(rule.fields, answer) : null;
  return problem ? refuse(rule, problem) : JUDGES[rule.kind](rule, answer);
}
