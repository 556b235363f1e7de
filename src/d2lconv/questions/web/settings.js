/** Settings of an exercise, such as a kernel: what they do is tried on cases, as d2lconv.exercises does. */
import { fill } from "./fill.js";
import { generalHint } from "./hints.js";
import { same, sameShape, show, tensor, whereTheyDiffer } from "./numbers.js";
import { JUDGES, notYet, right } from "./rules.js";

/** What settings do, by name; each gets a setting, the arguments of a case and the rule. The folder `uses` has them. */
export const USES = {};

/** What makes a failing case simpler, as d2lconv's cases do; a rule that tries all its cases in order needs nothing. */
export const SHRINKING = [(_, first) => first.args];

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

function hintOf(rule, trials) {
  const failing = trials.filter(({ fault }) => fault);
  const wrongValues = failing.filter(({ given }) => given);
  for (const group of wrongValues.length ? [trials, wrongValues] : []) {
    const known = rule.wrong.find((one) => group.every(({ given, args, n }) => {
      const wrong = one.setting ? USES[rule.use](tensor(one.setting), args, rule) : one.gives[n];
      return given && wrong !== null && same(given, tensor(wrong));
    }));
    if (known) return known.hint;
  }
  if (!failing[0].given) return rule.error;
  if (!wrongValues[0].expected.shape.length) return "";
  return generalHint(wrongValues.map(({ given, expected }) => [given, expected]));
}

/** @param {object} rule @param {*} setting @returns {Reply} */
function judgeSetting(rule, setting) {
  const tried = rule.tried ?? Object.keys(rule.cases);
  const trials = tried.map((at, n) => ({ ...tryOut(rule, setting, rule.cases[at]), at: at.split(",").map(Number), n }));
  const failing = trials.filter(({ fault }) => fault);
  if (!failing.length) return right(fill(WORDS.cases, { n: trials.length }));
  const args = SHRINKING.at(-1)(rule, failing[0], (one) => tryOut(rule, setting, one).fault === failing[0].fault);
  const { expected, given, error } = tryOut(rule, setting, args);
  const details = rule.names.map((name, n) => [name, shown(args[n])]);
  details.push([WORDS.expected, show(expected)], given ? [WORDS.given, show(given)] : [WORDS.error, error]);
  if (given && expected.shape.length) details.push([WORDS.theyDiffer, whereTheyDiffer(given, expected)]);
  const summary = fill(WORDS.casesFail, { n: failing.length, total: trials.length });
  return notYet(summary, details, hintOf(rule, trials));
}

JUDGES.setting = judgeSetting;
