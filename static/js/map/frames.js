// Spreads drawing over frames: pieces of work run for a few milliseconds of each, so that the map still moves.

const BUDGET_MS = 9;

export class FrameQueue {
  constructor({ budget = BUDGET_MS, frame = (run) => requestAnimationFrame(run), now = () => performance.now() } = {}) {
    Object.assign(this, { budget, frame, now, waiting: [], running: false });
  }

  /** Run a generator to its end, a piece at a time; of one `key` only the latest is run. */
  add(key, pieces, done = () => {}) {
    this.drop(key);
    this.waiting.push({ key, pieces, done });
    this.wake();
  }

  drop(key) {
    this.waiting = this.waiting.filter((one) => one.key !== key);
  }

  wake() {
    if (this.running || !this.waiting.length) return;
    this.running = true;
    this.frame(() => {
      this.running = false;
      this.run();
      this.wake();
    });
  }

  run() {
    const end = this.now() + this.budget;
    while (this.waiting.length) {
      const [one] = this.waiting;
      while (!one.pieces.next().done) if (this.now() >= end) return;
      this.waiting = this.waiting.filter((other) => other !== one);
      one.done();
      if (this.now() >= end) return;
    }
  }
}
