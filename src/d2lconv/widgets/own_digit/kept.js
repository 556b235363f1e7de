/** The reader's own digits, kept in this browser and nowhere else. What is found there can be anything. */

const KEY = "d2lconv.digits";
const VERSION = 1;
export const MOST_KEPT = 100;

/** @typedef {{label: number, pixels: string}} Kept pixels: a letter for each of 8×8 counts, a for 0 to q for 16 */

const isKeptDigit = (one) => Number.isInteger(one?.label) && one.label >= 0 && one.label <= 9 && /^[a-q]{64}$/.test(one.pixels);

/** Read a text that this script may have written. @returns {?Kept[]} null if it is damaged */
function readKept(text) {
  try {
    const { version, digits } = JSON.parse(text);
    return version === VERSION && digits.length <= MOST_KEPT && digits.every(isKeptDigit) ? digits : null;
  } catch {
    return null;
  }
}

/** Hold the digits; where the browser keeps nothing, until the page is left. */
export function makeCollection() {
  let digits = [];
  let trouble = "";

  function load() {
    try {
      const text = localStorage.getItem(KEY);
      if (text === null) {
        if (!trouble) digits = [];
        return;
      }
      const found = readKept(text);
      if (!found) {
        localStorage.setItem(`${KEY}.damaged`, text);
        localStorage.removeItem(KEY);
        trouble = "The digits that this browser had kept were damaged. They are set aside, and a new set begins.";
      }
      digits = found ?? [];
    } catch {
      trouble = "This browser keeps nothing: your digits stay until you leave the page.";
    }
  }

  function save(changed) {
    digits = changed;
    try {
      if (digits.length) localStorage.setItem(KEY, JSON.stringify({ version: VERSION, digits }));
      else localStorage.removeItem(KEY);
      trouble = "";
    } catch {
      trouble = "This browser keeps nothing: your digits stay until you leave the page.";
    }
  }

  load();
  return {
    /** All digits, in their order. @returns {Kept[]} */
    all: () => digits,
    trouble: () => trouble,
    load,
    add(label, pixels) {
      load(); // another page may have kept more
      if (digits.length < MOST_KEPT) save([...digits, { label, pixels }]);
    },
    forgetLast() {
      load();
      save(digits.slice(0, -1));
    },
    forgetAll: () => save([]),
  };
}

/**
 * Tell which digits are held out: of each class every second one, so that the network never learns from it.
 * @param {Kept[]} digits @returns {boolean[]}
 */
export function heldOut(digits) {
  const seen = new Array(10).fill(0);
  return digits.map(({ label }) => seen[label]++ % 2 === 1);
}
