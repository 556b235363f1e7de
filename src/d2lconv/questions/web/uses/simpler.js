import { tensor } from "../numbers.js";
import { SHRINKING } from "../settings.js";

const MOST_STEPS = 250;

/** Yield the cases with one size simpler. */
function* simplerSizes({ cases }, { at }) {
  for (const [axis, position] of at.entries()) {
    for (let lower = 0; lower < position; lower++) {
      const found = at.with(axis, lower);
      if (cases[found]) yield { at: found, args: cases[found] };
    }
  }
}

/** Yield the cases with simpler numbers. */
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
  for (const simpler of [simplerSizes, simplerNumbers]) {
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

SHRINKING.push(shrink);
