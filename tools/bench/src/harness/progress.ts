/** Progress for a person, on stderr, so that stdout stays free for the report. */
export interface Progress {
  /** Says what runs, and how long it took when it is done. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** As `step`, and on a terminal how far it is: the work tells of each of its parts. */
  count<T>(title: string, parts: number, work: (done: () => void) => Promise<T>): Promise<T>;
  say(text: string): void;
}

const BAR_WIDTH = 30;

/** One line a step. */
export const stderrProgress: Progress = {
  async step(title, work) {
    const startedAt = performance.now();
    process.stderr.write(`… ${title}\n`);
    const result = await work();
    process.stderr.write(`  ${title}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
    return result;
  },
  count(title, parts, work) {
    let done = 0;
    const draw = () => {
      const width = Math.round((BAR_WIDTH * ++done) / parts);
      const bar = '█'.repeat(width).padEnd(BAR_WIDTH, '░');
      if (process.stderr.isTTY)
        process.stderr.write(`\r${bar} ${done}/${parts}${done === parts ? '\n' : ''}`);
    };
    return this.step(title, () => work(draw));
  },
  say: (text) => void process.stderr.write(`${text}\n`),
};

/** Does the work, and says nothing. */
export const silentProgress: Progress = {
  step: (_, work) => work(),
  count: (_, __, work) => work(() => undefined),
  say: () => undefined,
};
