/** What judges answers; load.js loads it when a reader begins to answer. */
import { readNumbers } from "./numbers.js";
import { judge, refuse } from "./rules.js";

self.d2lJudge = { judge, refuse, readNumbers };
