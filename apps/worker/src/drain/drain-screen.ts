import { type DrainProgress } from '@peregrine/task-queue';

const BAR_WIDTH = 24;
/** Between two lines where there is no terminal that can rewrite one. */
const LINE_INTERVAL_MS = 5_000;

/** What a person sees of a drain: a bar on a terminal, a line now and then elsewhere. */
export class DrainScreen {
  #lastLineAt = -Infinity;

  constructor(private readonly stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>) {}

  show(progress: DrainProgress): void {
    if (this.stream.isTTY) return void this.stream.write(`\r\x1b[K${progressLine(progress)}`);
    const now = performance.now();
    if (now - this.#lastLineAt < LINE_INTERVAL_MS) return;
    this.#lastLineAt = now;
    this.stream.write(`${progressLine(progress)}\n`);
  }

  /** @param reason why it ended before its end */
  end(progress: DrainProgress | undefined, reason: string | undefined): void {
    const clear = this.stream.isTTY ? '\r\x1b[K' : '';
    this.stream.write(`${clear}${summary(progress, reason)}\n`);
  }
}

/** One line: a bar, what has ended in this process, what is left in the queue. */
export function progressLine(progress: DrainProgress): string {
  const { waiting, running } = progress;
  const done = ended(progress);
  const total = done + waiting + running;
  const share = total === 0 ? 1 : done / total;
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${bar} ${Math.floor(share * 100)} %  ${outcome(progress)}, ${left(progress)}`;
}

/** What there is to say at the end. */
export function summary(progress: DrainProgress | undefined, reason: string | undefined): string {
  if (!progress) return `Nothing was drained: ${reason ?? 'there was no look at the queue'}`;
  const done = `${outcome(progress)}`;
  if (reason !== undefined) return `Not drained, ${reason}: ${done}, ${left(progress)}`;
  const later = progress.delayed === 0 ? '' : `; ${progress.delayed} are delayed to a later time`;
  return `Drained: ${done}${later}`;
}

function ended({ completed, failed, cancelled }: DrainProgress): number {
  return completed + failed + cancelled;
}

function outcome({ completed, failed, cancelled }: DrainProgress): string {
  const others = [failed > 0 && `${failed} failed for good`, cancelled > 0 && `${cancelled} cancelled`];
  return [`${completed} completed`, ...others.filter((it) => it !== false)].join(', ');
}

function left({ waiting, running, delayed }: DrainProgress): string {
  return `${waiting} waiting, ${running} running, ${delayed} delayed`;
}
