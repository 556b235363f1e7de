/** The script of the worker. */

import { makeRunner } from "../lenet/runner.js";

const obey = makeRunner("worker", (report) => postMessage(report));
addEventListener("message", ({ data }) => obey(data));
