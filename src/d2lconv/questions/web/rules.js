/**
 * What an answer is told, as d2lconv.exercises tells it: tests ask both. A rule is what questions/web.py writes of a
 * question or exercise.
 *
 * @typedef {{correct: boolean, summary: string, details: string[][], hint: string}} Reply
 */
import { fill } from "./fill.js";
import { generalHint } from "./hints.js";
import { differing, same, sameShape, show, tensor, tuple } from "./numbers.js";

export const right = (summary) => ({ correct: true, summary, details: [], hint: "" });
export const notYet = (summary, details, hint) => ({ correct: false, summary, details, hint });

/** @param {object} rule @param {string} letter @returns {Reply} */
function judgeChoice({ right: wanted, because, wrong }, letter) {
  return letter === wanted ? right(because) : notYet(fill(WORDS.isWrong, { letter }), [], wrong[letter]);
}

// ---- values ----

function counted({ shape, data }) {
  if (shape.length < 2 && data.length === 1) return WORDS.single;
  return shape.length === 1 ? fill(WORDS.several, { n: data.length }) : fill(WORDS.shaped, { shape: tuple(shape) });
}

function verdict({ parts }, given, expected) {
  if (!sameShape(given, expected)) {
    return fill(expected.shape.length ? WORDS.areAsked : WORDS.isAsked, { given: counted(given), expected: counted(expected) });
  }
  const total = expected.data.length;
  if (total === 1) return WORDS.another;
  const apart = differing(given, expected);
  if (parts.length) {
    const named = (isRight) => parts.filter((_, n) => apart.includes(n) !== isRight).join(WORDS.comma);
    const told = { right: named(true), wrong: named(false) };
    return fill(!told.wrong ? WORDS.partsRight : told.right ? WORDS.partsBoth : WORDS.partsWrong, told);
  }
  const count = fill(WORDS.countRight, { n: total - apart.length, total });
  if (expected.shape.length !== 2 || apart.length !== 1) return count;
  const [row, column] = [Math.floor(apart[0] / expected.shape[1]), apart[0] % expected.shape[1]];
  return fill(WORDS.lookAgain, { count, row, column });
}

function hintFor({ wrong, asked, parts }, given, expected) {
  const known = wrong.find(({ gives }) => same(given, tensor(gives)));
  if (known) return known.hint;
  if (given.data.length !== expected.data.length) return fill(WORDS.askedFor, { asked });
  const swapped = { shape: given.shape, data: [...given.data].reverse() };
  if (given.data.length === 2 && parts.length && same(swapped, expected)) {
    return fill(WORDS.swapped, { parts: parts.join(WORDS.or) });
  }
  return generalHint([[given, expected]], given.data.length > 1 && given.shape.length === 1);
}

/** @param {object} rule @param {Tensor} given @returns {Reply} */
function judgeValue(rule, given) {
  const expected = tensor(rule.right);
  const total = expected.data.length;
  if (same(given, expected)) return right(rule.because ?? fill(total > 1 ? WORDS.severalRight : WORDS.singleRight, { n: total }));
  return notYet(verdict(rule, given, expected), [[WORDS.given, show(given)]], hintFor(rule, given, expected));
}

// ---- all of them ----

/** By kind of rule; settings.js adds its own where a page needs it. */
export const JUDGES = { choice: judgeChoice, value: judgeValue };

/** Reply to what is not of the kind that is asked for. @returns {Reply} */
export const refuse = ({ asked }, what) => notYet(what, [], fill(WORDS.askedFor, { asked }));

/** Say what is wrong with numbers that have names and limits; null if nothing is. */
function problemOf({ names, least }, { data }) {
  const wrong = data.findIndex((value) => !Number.isInteger(value));
  if (wrong >= 0) return fill(WORDS.whole, { name: names[wrong], value: data[wrong] });
  const low = data.findIndex((value, n) => value < least[n]);
  return low < 0 ? null : fill(WORDS.atLeast, { name: names[low], least: least[low], value: data[low] });
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
