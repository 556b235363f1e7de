import { USES } from "../settings.js";

/** Count the paths from an input cell to output cell 0. */
USES.paths = ({ data }, [cell]) => {
  const reached = data.reduce((below, dilation) => below.flatMap((at) => [0, 1, 2].map((step) => at + step * dilation)), [0]);
  return reached.filter((at) => at === cell).length;
};
