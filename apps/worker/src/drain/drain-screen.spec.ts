import { describe, expect, it } from '@jest/globals';
import { DrainScreen, progressLine, summary } from './drain-screen.js';

const progress = {
  completed: 30,
  failed: 0,
  cancelled: 0,
  waiting: 85,
  running: 5,
  delayed: 2,
  isPaused: false,
};

function streamOf(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, write: (text: string) => written.push(text) > 0 } };
}

describe('the progress of a drain', () => {
  it('is a bar with what has ended and what is left', () => {
    expect(progressLine(progress)).toBe(
      `${'█'.repeat(6)}${'░'.repeat(18)} 25 %  30 completed, 85 waiting, 5 running, 2 delayed`,
    );
    expect(progressLine({ ...progress, failed: 1, cancelled: 2, waiting: 0, running: 0 })).toContain(
      ' 100 %  30 completed, 1 failed for good, 2 cancelled, 0 waiting',
    );
    expect(progressLine({ ...progress, completed: 0, waiting: 0, running: 0 })).toContain('█ 100 %');
  });

  it('ends with one sentence', () => {
    expect(summary({ ...progress, delayed: 0 }, undefined)).toBe('Drained: 30 completed');
    expect(summary(progress, undefined)).toBe('Drained: 30 completed; 2 are delayed to a later time');
    expect(summary(progress, 'the time is up')).toBe(
      'Not drained, the time is up: 30 completed, 85 waiting, 5 running, 2 delayed',
    );
    expect(summary(undefined, 'interrupted')).toBe('Nothing was drained: interrupted');
  });

  it('moves on a terminal, and is a line now and then elsewhere', () => {
    const terminal = streamOf(true);
    const onTerminal = new DrainScreen(terminal.stream);
    for (let look = 0; look < 3; look++) onTerminal.show(progress);
    onTerminal.end(progress, undefined);
    expect(terminal.written).toHaveLength(4);
    expect(terminal.written.every((it) => it.startsWith('\r\x1b[K'))).toBe(true);
    const file = streamOf(false);
    const inFile = new DrainScreen(file.stream);
    for (let look = 0; look < 3; look++) inFile.show(progress);
    inFile.end(progress, undefined);
    expect(file.written).toEqual([`${progressLine(progress)}\n`, `${summary(progress, undefined)}\n`]);
  });
});
