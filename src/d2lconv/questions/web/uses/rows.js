/** Give rows of a given length back their rows. */
export function rowsOf({ shape, data }) {
  const [length] = shape.slice(-1);
  return Array.from({ length: data.length / length }, (_, r) => data.slice(r * length, (r + 1) * length));
}
