/** What a network makes of digits, and how it learns some of the reader's own beside the course's. */

import { enlarge, readDigits } from "../lenet/digits.js";
import { Network } from "../lenet/lenet.js";
import { makeTrainer } from "../lenet/runner.js";

const LEARNED = 300; // of the course's digits, beside the reader's own
const EPOCHS = 8;
const REPEATS = 3; // of each digit of the reader's own in an epoch
const AT_ONCE = 20; // images between which the page may do something else
const RATE = { lr: 0.005, momentum: 0.9, batch_size: 32, weight_decay: 0, shifts: true, seed: 0 };

/** Turn scores into probabilities. */
export function probabilitiesOf(scores) {
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** Make a reader of digits, which can be given other weights. */
export function makeReader(kind, weights) {
  const network = new Network(kind, weights.slice(), 1);
  return {
    network,
    use: (others) => network.parameters.set(others),
    /** Read an image. @returns {number[]} ten scores; the network holds its maps */
    read(image) {
      network.place(0, image);
      network.encode(0);
      network.score(1);
      return Array.from(network.scores.subarray(0, 10));
    },
  };
}

/** Tell what a reader takes an image for. */
export function takenFor(reader, image) {
  const scores = reader.read(image);
  return scores.indexOf(Math.max(...scores));
}

/** Count the digits that a network reads right, a few at a time. @returns {Promise<number>} */
export async function countRight(reader, { pixels, labels }) {
  let right = 0;
  for (const [n, image] of readDigits(pixels).entries()) {
    if (n % AT_ONCE === 0) await new Promise((done) => setTimeout(done));
    right += takenFor(reader, enlarge(image)) === Number(labels[n]) ? 1 : 0;
  }
  return right;
}

/**
 * Train a network on the course's digits and some of the reader's own.
 * @param {{kind: object, weights: Float64Array, course: object, own: Kept[]}} start
 * @param {?string} address of the worker's script
 * @param {function({done: number, epochs: number, weights: Float32Array, valid: ?number, running: boolean,
 *   failed: ?string}): void} tell done: epochs; valid: how many of the course's validation digits it reads right
 * @returns {function(): void} stops it
 */
export function learnAgain({ kind, weights, course, own }, address, tell) {
  const repeated = Array.from({ length: REPEATS }, () => own).flat();
  const pixels = course.train.pixels.slice(0, 64 * LEARNED) + repeated.map((one) => one.pixels).join("");
  const labels = course.train.labels.slice(0, LEARNED) + repeated.map(({ label }) => label).join("");
  const settings = { ...kind, ...RATE, weights };
  const goal = EPOCHS * Math.ceil(labels.length / RATE.batch_size);
  let epochs = [];
  const trainer = makeTrainer(async () => ({ train: { pixels, labels }, valid: course.valid }), address, {
    tell(report) {
      epochs.push(...report.epochs);
      const valid = epochs.length ? Math.round(epochs.at(-1)[3] * course.valid.labels.length) : null;
      const { now, running, failed = null } = report;
      tell({ done: epochs.length, epochs: EPOCHS, weights: now.weights, valid, running, failed });
    },
    lose: () => begin(),
    fail: () => {}, // the digits are at hand
  });
  function begin() {
    epochs = [];
    trainer.start(settings);
    trainer.run(goal);
  }
  begin();
  return () => trainer.stop();
}
