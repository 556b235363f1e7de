import { USES } from "../settings.js";

/** Return the output size of a layer. */
USES.size = ({ data: [kernel, stride, padding] }, [n]) => {
  const room = n + 2 * padding;
  if (kernel > room) {
    throw new RangeError(
      `RuntimeError: Calculated padded input size per channel: (${room}). Kernel size: (${kernel}). ` +
        "Kernel size can't be greater than actual input size",
    );
  }
  return Math.floor((room - kernel) / stride) + 1;
};
