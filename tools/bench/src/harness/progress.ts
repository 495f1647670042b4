/** Progress for a person, on stderr, so that stdout stays free for the report. */
export interface Progress {
  /** Says what runs, and how long it took when it is done. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  say(text: string): void;
}

/** One line a step. */
export const stderrProgress: Progress = {
  async step(title, work) {
    const startedAt = performance.now();
    process.stderr.write(`… ${title}\n`);
    const result = await work();
    process.stderr.write(`  ${title}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
    return result;
  },
  say: (text) => void process.stderr.write(`${text}\n`),
};
