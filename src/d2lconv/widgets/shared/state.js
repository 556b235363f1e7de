/**
 * What the traits of a view may be. A saved state can hold anything, and a control can be given any limits, so
 * a view reads its traits here before it computes: what is wrong is a RangeError, ready to be shown.
 *
 * @typedef {{text: string, allows: function(*): boolean}} Kind what is allowed, in words and as a test
 */

const kind = (text, allows) => ({ text, allows });

export const flag = kind("true or false", (value) => typeof value === "boolean");
export const text = kind("a text", (value) => typeof value === "string");
export const words = kind("a short text", (value) => typeof value === "string" && value.length <= 100);
export const finite = kind("a finite number", Number.isFinite);
export const between = (low, high) =>
  kind(`a number from ${low} to ${high}`, (value) => Number.isFinite(value) && low <= value && value <= high);
export const whole = (low, high) =>
  kind(`a whole number from ${low} to ${high}`, (value) => Number.isInteger(value) && low <= value && value <= high);
export const oneOf = (...values) => kind(`one of ${values.join(", ")}`, (value) => values.includes(value));
export const anyOf = (...kinds) =>
  kind(kinds.map(({ text }) => text).join(" or "), (value) => kinds.some(({ allows }) => allows(value)));
export const optional = (inner) => kind(`${inner.text}, or nothing`, (value) => (value ?? null) === null || inner.allows(value));
export const listOf = (inner, least, most = least) =>
  kind(
    `${least === most ? least : `${least} to ${most}`} times ${inner.text}`,
    (value) => Array.isArray(value) && value.length >= least && value.length <= most && value.every(inner.allows),
  );

/** Rows of finite numbers, all of the same length. */
export function matrix(most, least = 1) {
  const rows = listOf(listOf(finite, least, most), least, most);
  const allows = (value) => rows.allows(value) && value.every(({ length }) => length === value[0].length);
  return kind(`${least === most ? "" : "at most "}${most}×${most} finite numbers`, allows);
}

/** An object with some keys of these kinds. */
export const record = (kinds) =>
  kind(`an object with ${Object.keys(kinds).join(", ")}`, (value) => value !== null && typeof value === "object" &&
    Object.entries(kinds).every(([name, inner]) => inner.allows(value[name])));

/**
 * Read the state of a view.
 * @param {{get: function(string): *}} model
 * @param {Object<string, Kind>} kinds by trait
 * @returns {Object<string, *>}
 */
export function readState(model, kinds) {
  const read = ([name, { text, allows }]) => {
    const value = model.get(name);
    if (allows(value)) return [name, value];
    throw new RangeError(`${name} must be ${text}, got ${String(JSON.stringify(value)).slice(0, 40)}`);
  };
  return Object.fromEntries(Object.entries(kinds).map(read));
}
