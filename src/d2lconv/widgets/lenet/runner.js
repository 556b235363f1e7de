/** Training in slices of time: in a worker where the page is served, else between whatever else the page does. */

import { enlarge, readDigits } from "./digits.js";
import { Training } from "./sgd.js";

const REPORT_EVERY = 100; // milliseconds
const SLICE = { page: 8, worker: 50 }; // milliseconds; a frame of the page takes 16
const MOMENTS = 40; // at least so many are kept, and at most twice as many

/** How many steps lie between two moments that are kept of a training that has come to a step. */
export const strideAt = (step) => 2 ** Math.max(0, Math.floor(Math.log2(step / MOMENTS)));

const readImages = ({ pixels, labels }) => ({ images: readDigits(pixels).map(enlarge), labels: Array.from(labels, Number) });

/**
 * @typedef {{id: number, goal: number, settings?: object, digits?: object}} Order trains up to a step; with settings,
 *   from the start
 * @typedef {{step: number, weights: Float32Array}} Moment
 * @typedef {{id: number, losses: number[], epochs: number[][], moments: Moment[], now: Moment, running: boolean,
 *   failed?: string}} Report what came since the last one
 *
 * @param {"page"|"worker"} where
 * @param {function(Report): void} tell
 * @returns {function(Order): void}
 */
export function makeRunner(where, tell) {
  let digits, training, work, id, report;
  let [step, goal, told, timer] = [0, 0, 0, null];

  const weights = () => Float32Array.from(training.network.parameters);
  const emptyReport = () => ({ id, losses: [], epochs: [], moments: [] });

  /** Take in what a step gave. */
  function count({ loss, epoch, failed }) {
    step += 1;
    report.losses.push(loss);
    if (epoch) report.epochs.push(epoch);
    if (failed) [report.failed, goal] = [failed, 0];
    else if (step % strideAt(step) === 0) report.moments.push({ step, weights: weights() });
  }

  function advance() {
    timer = null;
    const end = performance.now() + SLICE[where];
    while (step < goal && performance.now() < end) {
      const { value } = work.next();
      if (value) count(value);
    }
    const running = step < goal;
    if (!running || performance.now() - told > REPORT_EVERY) {
      told = performance.now();
      tell({ ...report, now: { step, weights: weights() }, running });
      report = emptyReport();
    }
    if (running) timer = setTimeout(advance);
  }

  return (order) => {
    if (order.digits) digits = { train: readImages(order.digits.train), valid: readImages(order.digits.valid) };
    if (order.settings) {
      id = order.id;
      [step, report] = [0, emptyReport()];
      training = new Training(order.settings, digits.train, digits.valid);
      work = training.run();
    }
    goal = order.goal;
    timer ??= setTimeout(advance);
  };
}

/**
 * @param {function(): Promise<object>} getDigits called once, before the first step
 * @param {?string} address of the worker's script, where the page is served
 * @param {{tell: function(Report): void, lose: function(): void, fail: function(Error): void}} listeners lose: the
 *   worker is lost, start again; fail: the digits did not come, run() asks for them again
 * @returns {{start: function(object): void, run: function(number): void, stop: function(): void}}
 */
export function makeTrainer(getDigits, address, { tell, lose, fail }) {
  let [id, send, worker, news] = [0, null, null, {}]; // news: what the next order has to bring along
  let [goal, digits, coming] = [0, null, null];
  const hear = (report) => report.id === id && tell(report);

  function useWorker() {
    worker = new Worker(address);
    worker.addEventListener("message", ({ data }) => hear(data));
    worker.addEventListener("error", () => {
      worker.terminate();
      usePage();
      lose();
    });
    send = (order) => worker.postMessage(order);
    news.digits = digits;
  }

  function usePage() {
    worker = null;
    send = makeRunner("page", hear);
    news.digits = digits;
  }

  function pass() {
    send({ id, goal, ...news });
    news = {};
  }

  async function setUp() {
    try {
      digits = await getDigits();
    } catch (error) {
      coming = null;
      fail(error);
      return;
    }
    if (!goal) return; // it was stopped before it began
    (address ? useWorker : usePage)();
    pass();
  }

  return {
    /** Leave the training, if there is one, for another, which the next run() takes up. */
    start(settings) {
      id += 1;
      goal = 0;
      news.settings = settings;
      send?.({ goal });
    },

    /** Train until so many steps are done: 0 pauses. */
    run(until) {
      goal = until;
      if (send) pass();
      else if (digits || !coming) coming = setUp();
    },

    stop() {
      id += 1;
      goal = 0;
      if (worker) worker.terminate();
      else send?.({ goal });
    },
  };
}
