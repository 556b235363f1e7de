/** Put values into a sentence, at {name}. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
