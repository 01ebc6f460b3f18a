/** Pseudo-random choices that a seed reproduces. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 1, without 1 (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to `limit`, without `limit`. */
  below(limit) {
    return Math.floor(this.next() * limit);
  }

  /** True with this probability. */
  chance(probability) {
    return this.next() < probability;
  }

  /** An item of a list that is not empty. */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** At most `count` distinct items of a list, in random order. */
  sample(items, count) {
    const left = [...items];
    const taken = [];
    while (taken.length < count && left.length > 0) taken.push(left.splice(this.below(left.length), 1)[0]);
    return taken;
  }
}
