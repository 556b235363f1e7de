/**
 * What an answer is told, as d2lconv.exercises tells it: tests ask both. A rule is what questions/web.py writes of a
 * question or exercise.
 *
 * @typedef {{correct: boolean, summary: string, details: string[][], misconception: string, hint: string}} Reply
 */
import { generalHint } from "./hints.js";
import { differing, same, sameShape, show, tensor, tuple, whereTheyDiffer } from "./numbers.js";
import { USES } from "./uses.js";

const right = (summary) => ({ correct: true, summary, details: [], misconception: "", hint: "" });
const notYet = (summary, details = [], [misconception, hint] = ["", ""]) => ({
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

// ---- settings: what they do is tried on cases ----

const MOST_STEPS = 250;
const shown = (value) => {
  if (typeof value === "string") return `'${value}'`;
  return Array.isArray(value) ? show(tensor(value)) : String(value);
};

function tryOut(rule, setting, args) {
  const use = (one) => USES[rule.use](one, args, rule);
  const trial = { args, expected: tensor(use(tensor(rule.right))), given: null, fault: "", error: "" };
  try {
    trial.given = tensor(use(setting));
    if (!same(trial.given, trial.expected)) trial.fault = sameShape(trial.given, trial.expected) ? "values" : "shape";
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    [trial.fault, trial.error] = ["error", error.message];
  }
  return trial;
}

/** Yield the cases with one setting simpler, then those with simpler numbers, as d2lconv's cases do. */
function* simplerSettings({ cases }, { at }) {
  for (const [axis, position] of at.entries()) {
    for (let lower = 0; lower < position; lower++) {
      const found = at.with(axis, lower);
      if (cases[found]) yield { at: found, args: cases[found] };
    }
  }
}

function* simplerNumbers(_, { at, args }) {
  for (const [n, argument] of args.entries()) {
    if (!Array.isArray(argument)) continue;
    const { data } = tensor(argument);
    const changed = (change) => {
      let next = 0;
      const walk = (one) => (Array.isArray(one) ? one.map(walk) : change(one, next++));
      return { at, args: args.with(n, walk(argument)) };
    };
    if (data.some(Boolean)) yield changed(() => 0);
    for (const wanted of [0, 1]) {
      for (const [place, now] of data.entries()) {
        if (now !== 0 && now !== wanted) yield changed((value, at) => (at === place ? wanted : value));
      }
    }
  }
}

function shrink(rule, first, fails) {
  let [one, left] = [first, MOST_STEPS];
  for (const simpler of [simplerSettings, simplerNumbers]) {
    for (let found = one; found; ) {
      one = found;
      found = null;
      let most = Math.max(left, 0);
      for (const candidate of simpler(rule, one)) {
        if (most-- <= 0) break;
        left--;
        if (fails(candidate.args)) {
          found = candidate;
          break;
        }
      }
    }
  }
  return one.args;
}

function hintOf(rule, trials) {
  const failing = trials.filter(({ fault }) => fault);
  const wrongValues = failing.filter(({ given }) => given);
  for (const group of wrongValues.length ? [trials, wrongValues] : []) {
    const known = rule.wrong.find((one) => group.every(({ given, args, n }) => {
      const wrong = one.setting ? USES[rule.use](tensor(one.setting), args, rule) : one.gives[n];
      return given && wrong !== null && same(given, tensor(wrong));
    }));
    if (known) return [known.name, known.hint];
  }
  if (!failing[0].given) return ["error", rule.error];
  if (!wrongValues[0].expected.shape.length) return ["", ""];
  return generalHint(wrongValues.map(({ given, expected }) => [given, expected]));
}

/** @param {object} rule @param {*} setting @returns {Reply} */
function judgeSetting(rule, setting) {
  const trials = rule.tried.map((at, n) => ({ ...tryOut(rule, setting, rule.cases[at]), at: at.split(",").map(Number), n }));
  const failing = trials.filter(({ fault }) => fault);
  if (!failing.length) return right(`${trials.length} cases.`);
  const args = shrink(rule, failing[0], (one) => tryOut(rule, setting, one).fault === failing[0].fault);
  const { expected, given, error } = tryOut(rule, setting, args);
  const details = rule.names.map((name, n) => [name, shown(args[n])]);
  details.push(["expected", show(expected)], given ? ["given", show(given)] : ["your code raised", error]);
  if (given && expected.shape.length) details.push(["they differ", whereTheyDiffer(given, expected)]);
  const summary = `${failing.length} of ${trials.length} cases fail. The smallest case that shows it:`;
  return notYet(summary, details, hintOf(rule, trials));
}

// ---- all of them ----

const JUDGES = { choice: judgeChoice, value: judgeValue, setting: judgeSetting };

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
