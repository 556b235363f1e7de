/**
 * What this browser remembers of questions and exercises, and when each comes back.
 *
 * A question that was missed has a gap in days, after which it is due. The first answer of a day counts: a right one
 * leads to the next gap, and after the last one the question is learned; a wrong one leads to the first gap.
 *
 * What is stored can hold anything: what is not as `save` writes it is left out.
 *
 * @typedef {{first: boolean, right: boolean, tries: number, day: number, gap: number}} Kept whether the first answer
 *   was right and whether one was; the day of the last answer
 */
const KEY = "d2lconv.answers";
const VERSION = 1;
export const MOST_LETTERS = 100_000; // all of the course take a tenth
export const GAPS = [1, 3, 7, 21];

export const today = () => Math.floor((Date.now() - new Date().getTimezoneOffset() * 60_000) / 86_400_000);

const isKept = ([name, one]) =>
  /^\w+\.[\w-]+$/.test(name) && [one?.first, one?.right].every((value) => typeof value === "boolean") &&
  [one.tries, one.day].every(Number.isSafeInteger) && [undefined, 0, ...GAPS].includes(one.gap);

/**
 * Read what `save` has written.
 * @param {?string} text
 * @returns {{answers: Map<string, Kept>, done: string[]}} with the chapters of which all questions were answered
 */
export function read(text) {
  try {
    const { version, answers, done = [] } = text.length > MOST_LETTERS ? {} : JSON.parse(text);
    if (version === VERSION) {
      const withGap = ([name, one]) => [name, { gap: one.first ? 0 : GAPS[0], ...one }];
      const entries = Object.entries(answers).filter(isKept).map(withGap);
      return { answers: new Map(entries), done: [done].flat().filter((name) => /^\w+$/.test(name)) };
    }
  } catch {
    // nothing there, or nothing that this script wrote
  }
  return { answers: new Map(), done: [] };
}

export const write = ({ answers, done }) => JSON.stringify({ version: VERSION, answers: Object.fromEntries(answers), done });

export function kept() {
  try {
    return read(localStorage.getItem(KEY));
  } catch {
    return read(null);
  }
}

export function save(state) {
  try {
    localStorage.setItem(KEY, write(state));
  } catch {
    // full, or forbidden
  }
  dispatchEvent(new Event("d2l-kept"));
}

/** Return the gap that follows an answer, given what was kept before it. */
function gapAfter({ day, gap }, isRight) {
  if (day === today()) return gap;
  return isRight ? (GAPS[GAPS.indexOf(gap) + 1] ?? 0) * Math.sign(gap) : GAPS[0];
}

/** Remember an answer; and the chapter as done, if all its questions, which are named, were answered right. */
export function keep(name, isRight, questions) {
  const state = kept();
  const before = state.answers.get(name) ?? { first: isRight, right: false, tries: 0, day: -1, gap: 0 };
  const now = { right: before.right || isRight, tries: before.tries + 1, day: today(), gap: gapAfter(before, isRight) };
  state.answers.set(name, { ...before, ...now });
  const [chapter] = name.split(".");
  const isDone = questions.length && questions.every((one) => state.answers.get(one)?.right);
  state.done = [...state.done.filter((one) => one !== chapter), ...(isDone ? [chapter] : [])];
  save(state);
}

/** Return in how many days something kept is due, infinite if it does not come back. A day to come is a wrong clock's. */
export const daysLeft = ({ day, gap }) => (gap && day <= today() ? day + gap - today() : gap ? 0 : Infinity);
