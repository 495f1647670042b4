import { styleText } from 'node:util';

const SPINNER_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** What a person sees while a command works. */
export interface Reporter {
  /**
   * Shows one line for a piece of work: what runs, then `✔` or `✖` with the time it took.
   *
   * @param work may rename the line to what came out: "PostgreSQL" to "PostgreSQL 18 on port 5433"
   */
  step<T>(title: string, work: (rename: (title: string) => void) => Promise<T>): Promise<T>;
  /** Prints text on lines of its own. */
  print(text: string): void;
  /** Prints something that a person should look at. */
  warn(text: string): void;
}

/** Shows nothing: for callers that report in their own way. */
export const silentReporter: Reporter = {
  step: (_title, work) => work(() => undefined),
  print: () => undefined,
  warn: () => undefined,
};

/** Progress on a terminal as one moving line; anywhere else as one line per finished step. */
export class TerminalReporter implements Reporter {
  private active: { readonly startedAt: number; title: string } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private frame = 0;
  private readonly stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.stream = stream;
  }

  async step<T>(title: string, work: (rename: (title: string) => void) => Promise<T>): Promise<T> {
    const step = { title, startedAt: performance.now() };
    this.begin(step);
    try {
      const result = await work((renamed) => (step.title = renamed));
      this.end(step, styleText('green', '✔'));
      return result;
    } catch (error) {
      this.end(step, styleText('red', '✖'));
      throw error;
    }
  }

  print(text: string): void {
    this.clear();
    this.stream.write(`${text}\n`);
    this.draw();
  }

  warn(text: string): void {
    this.print(styleText('yellow', text));
  }

  private begin(step: { title: string; startedAt: number }): void {
    this.active = step;
    if (!this.stream.isTTY) return;
    this.draw();
    this.timer = setInterval(() => this.draw(), SPINNER_MS).unref();
  }

  private end(step: { title: string; startedAt: number }, mark: string): void {
    clearInterval(this.timer);
    this.clear();
    this.active = undefined;
    this.stream.write(`${mark} ${step.title} ${styleText('dim', formatSeconds(step.startedAt))}\n`);
  }

  private draw(): void {
    if (!this.active || !this.stream.isTTY) return;
    this.frame = (this.frame + 1) % FRAMES.length;
    const line = `${FRAMES[this.frame]} ${this.active.title} ${formatSeconds(this.active.startedAt)}`;
    this.stream.write(`\r\x1b[K${line.slice(0, this.stream.columns - 1)}`);
  }

  private clear(): void {
    if (this.active && this.stream.isTTY) this.stream.write('\r\x1b[K');
  }
}

function formatSeconds(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
}
