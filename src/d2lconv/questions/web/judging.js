/** What judges answers, where it lies in the same script; load.js has it load one. */
import { readNumbers } from "./numbers.js";
import { judge, refuse } from "./rules.js";

export const judging = async () => ({ judge, refuse, readNumbers });
