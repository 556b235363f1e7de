/** A training of LeNet, step by step, with the numbers of d2lconv.training.fit. */

import { initialWeights, Network } from "./lenet.js";
import { MersenneTwister, mixSeeds } from "./random.js";

const CHUNK = 60; // validation images at a time
export const SHIFT = 2; // the most pixels by which images are moved

/**
 * @typedef {{images: Float64Array[], labels: number[]}} Images
 * @typedef {{activation: string, pooling: string, lr: number, momentum: number, batch_size: number,
 *   weight_decay: number, shifts: boolean, seed: number, weights?: Float64Array}} Settings weights: to begin with,
 *   where they are not drawn by the seed
 */

/** Write a number that is not finite as Python does. */
const written = (value) => (Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

export class Training {
  /** @param {Settings} settings @param {Images} train @param {Images} valid */
  constructor(settings, train, valid) {
    Object.assign(this, { settings, train, valid });
    const weights = settings.weights?.slice() ?? initialWeights(settings.seed);
    this.network = new Network(settings, weights, Math.max(settings.batch_size, CHUNK));
    this.velocity = new Float64Array(this.network.parameters.length);
  }

  /**
   * Train without end. Between two steps, a value says what the last one gave; between two images, nothing.
   * @yields {?{loss: number, epoch?: number[], failed?: string}} the loss of a step; after an epoch also training
   *   loss, training accuracy, validation loss and validation accuracy; or why it cannot go on
   */
  *run() {
    const { settings, network, train } = this;
    const steps = Math.ceil(train.images.length / settings.batch_size);
    for (let number = 1; ; number++) {
      const order = new MersenneTwister(mixSeeds(settings.seed, number)).order(train.images.length);
      const noise = new MersenneTwister(mixSeeds(settings.seed, number, 1));
      let [loss, correct] = [0, 0];
      for (let step = 0; step < steps; step++) {
        const batch = order.slice(step * settings.batch_size, (step + 1) * settings.batch_size);
        const sums = yield* this.#step(batch, noise);
        const mean = sums.loss / batch.length;
        loss += sums.loss;
        correct += sums.correct;
        if (!Number.isFinite(mean)) {
          yield { loss: mean, failed: `the loss is ${written(mean)} at epoch ${number}, step ${step + 1} of ${steps}` };
        } else if (step < steps - 1) yield { loss: mean };
        else yield* this.#endEpoch(number, mean, loss / order.length, correct / order.length);
      }
    }
  }

  /** Learn from a batch. */
  *#step(batch, noise) {
    const { network, train, settings } = this;
    const moves = Array.from({ length: settings.shifts ? 2 * batch.length : 0 }, () => noise.below(2 * SHIFT + 1) - SHIFT);
    for (let n = 0; n < batch.length; n++) {
      network.place(n, train.images[batch[n]], -(moves[n] ?? 0), -(moves[batch.length + n] ?? 0));
      network.encode(n);
      yield null;
    }
    network.score(batch.length);
    const sums = network.judge(batch.length, batch.map((image) => train.labels[image]));
    yield null;
    network.scoreBack(batch.length);
    for (let n = 0; n < batch.length; n++) {
      yield null;
      network.encodeBack(n);
    }
    this.#update();
    return sums;
  }

  /** Change the weights, as torch.optim.SGD does. */
  #update() {
    const { velocity, network: { parameters, gradients } } = this;
    const { lr, momentum, weight_decay: decay } = this.settings;
    for (let i = 0; i < parameters.length; i++) {
      velocity[i] = momentum * velocity[i] + (gradients[i] + decay * parameters[i]);
      parameters[i] -= lr * velocity[i];
    }
  }

  *#endEpoch(number, mean, trainLoss, trainAccuracy) {
    const { network, valid } = this;
    const count = valid.images.length;
    let [loss, correct] = [0, 0];
    for (let first = 0; first < count; first += CHUNK) {
      const images = valid.images.slice(first, first + CHUNK);
      for (const [n, image] of images.entries()) {
        network.place(n, image);
        network.encode(n);
        yield null;
      }
      network.score(images.length);
      const sums = network.judge(images.length, valid.labels.slice(first, first + CHUNK));
      loss += sums.loss;
      correct += sums.correct;
    }
    const epoch = [trainLoss, trainAccuracy, loss / count, correct / count];
    if (Number.isFinite(loss)) yield { loss: mean, epoch };
    else yield { loss: mean, failed: `the validation loss is ${written(loss)} after epoch ${number}` };
  }
}
