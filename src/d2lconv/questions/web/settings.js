/** Settings of an exercise, such as a kernel: what they do is tried on cases, as d2lconv.exercises does. */
import { fill } from "./dom.js";
import { generalHint } from "./hints.js";
import { same, sameShape, show, tensor, whereTheyDiffer } from "./numbers.js";
import { JUDGES, notYet, right } from "./rules.js";
import { USES } from "./uses.js";

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
  if (!failing.length) return right(fill(WORDS.cases, { n: trials.length }));
  const args = shrink(rule, failing[0], (one) => tryOut(rule, setting, one).fault === failing[0].fault);
  const { expected, given, error } = tryOut(rule, setting, args);
  const details = rule.names.map((name, n) => [name, shown(args[n])]);
  details.push([WORDS.expected, show(expected)], given ? [WORDS.given, show(given)] : [WORDS.error, error]);
  if (given && expected.shape.length) details.push([WORDS.theyDiffer, whereTheyDiffer(given, expected)]);
  const summary = fill(WORDS.casesFail, { n: failing.length, total: trials.length });
  return notYet(summary, details, hintOf(rule, trials));
}

JUDGES.setting = judgeSetting;
