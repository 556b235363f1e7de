/** PyTorch's and NumPy's random numbers, to the bit: all arithmetic is on unsigned integers of 32 bits. */

/** The generator of torch.manual_seed, MT19937 (Matsumoto and Nishimura, 1998). */
export class MersenneTwister {
  #state = new Uint32Array(624);
  #next = 624;

  constructor(seed) {
    this.#state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const before = this.#state[i - 1];
      this.#state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  #renew() {
    const state = this.#state;
    for (let i = 0; i < 624; i++) {
      const joined = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  /** Draw an integer from 0 to 2³² − 1. */
  draw() {
    if (this.#next === 624) this.#renew();
    let bits = this.#state[this.#next++];
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  /** Draw an integer below a limit, as torch.randint does. */
  below(limit) {
    return this.draw() % limit;
  }

  /** Draw numbers of 32 bits from −bound to bound, as Tensor.uniform_ does; a double holds them exactly. */
  uniform(count, bound) {
    const end = Math.fround(bound);
    return Float64Array.from({ length: count }, () => Math.fround((this.draw() % 2 ** 24) * 2 ** -24 * (2 * end) - end));
  }

  /** Draw an order of the numbers below a count, as torch.randperm does. */
  order(count) {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = 0; i < count - 1; i++) {
      const other = i + this.below(count - i);
      [order[i], order[other]] = [order[other], order[i]];
    }
    return order;
  }
}

/** Mix up to four integers into one seed, as numpy.random.SeedSequence(numbers).generate_state(1) does. */
export function mixSeeds(...numbers) {
  const makeHash = (start, factor) => (value) => {
    const mixed = value ^ start;
    start = Math.imul(start, factor);
    const hash = Math.imul(mixed, start);
    return hash ^ (hash >>> 16);
  };
  const hash = makeHash(0x43b0d7e5, 0x931e8875);
  const pool = [0, 1, 2, 3].map((i) => hash(numbers[i] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue;
      const mixed = Math.imul(0xca01f9dd, pool[to]) - Math.imul(0x4973f715, hash(pool[from]));
      pool[to] = mixed ^ (mixed >>> 16);
    }
  }
  return makeHash(0x8b51f9dd, 0x58f38ded)(pool[0]) >>> 0;
}
