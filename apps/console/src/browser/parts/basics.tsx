import type { ComponentChildren } from 'preact';
import type { Level, Limit } from '../../contract/snapshot.js';
import { bytes, count, duration, percent } from '../live/format.js';

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  good: 'Well',
  unknown: 'Too early to say',
  warning: 'Needs attention',
  critical: 'Critical',
};
const LEVEL_MARKS: Readonly<Record<Level, string>> = { good: '✓', unknown: '·', warning: '!', critical: '✕' };

/** A level by colour, mark and, for screen readers, word. */
export function Mark({ level }: { level: Level }) {
  return (
    <span class={`mark ${level}`} role="img" aria-label={LEVEL_WORDS[level]}>
      {LEVEL_MARKS[level]}
    </span>
  );
}

export function Tag({ level, children }: { level: Level; children: ComponentChildren }) {
  return <span class={`tag ${level}`}>{children}</span>;
}

interface SectionProps {
  title: string;
  /** Beside the title. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Section({ title, aside, children }: SectionProps) {
  const id = title.toLowerCase().replaceAll(/\W+/g, '-');
  return (
    <section class="card" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export function Tiles({ children }: { children: ComponentChildren }) {
  return <dl class="tiles">{children}</dl>;
}

/** One number. @param note what it means, or what it is made of */
export function Tile({ name, value, note }: { name: string; value: string; note?: ComponentChildren }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      {note !== undefined && <dd class="note">{note}</dd>}
    </div>
  );
}

/** Says that figures are old or missing, and why; nothing when they are not. */
export function Problem({ text }: { text: string | null }) {
  return text === null ? null : <p class="hint">{text}</p>;
}

/** In place of what is not there: why, and what to do. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A table that scrolls by itself on a phone. */
export function Table({
  name,
  head,
  children,
}: {
  name: string;
  head: string[];
  children: ComponentChildren;
}) {
  return (
    <div class="scroll" role="group" aria-label={name} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((it) => (
              <th key={it} scope="col">
                {it}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const UNITS = { bytes, count, ms: duration } as const;

/** How much of a bound is used. */
export function Usage({ name, used, limit, unit, level }: Omit<Limit, 'page'>) {
  const share = limit === 0 ? 0 : Math.min(1, used / limit);
  const text = `${UNITS[unit](used)} of ${UNITS[unit](limit)}`;
  return (
    <div class="usage">
      <span class="name">{name}</span>
      <span class="figure">
        {text} · {percent(share)}
      </span>
      <svg class={`bar ${level}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" />
        <rect class="fill" width={share * 100} height="6" />
      </svg>
    </div>
  );
}

const WIDTH = 120;
const HEIGHT = 28;
/** A course of two points would look like a trend. */
const FEWEST_STEPS = 24;

/** The course of counts by steps, the last of which still runs and is left out: it would always look like a fall. */
export function Sparkline({ steps, label }: { steps: readonly number[]; label: string }) {
  const ended = steps.length > 1 ? steps.slice(0, -1) : steps;
  // Before the process started there was nothing.
  const values = [...new Array<number>(Math.max(0, FEWEST_STEPS - ended.length)).fill(0), ...ended];
  const highest = Math.max(...values, 0.000_001);
  const x = (index: number) => (index * WIDTH) / (values.length - 1);
  const y = (value: number) => HEIGHT - 2 - (value / highest) * (HEIGHT - 4);
  const line = values.map((it, index) => `${x(index)},${y(it)}`).join(' ');
  const box = `0 0 ${WIDTH} ${HEIGHT}`;
  return (
    <svg class="spark" viewBox={box} preserveAspectRatio="none" role="img" aria-label={label}>
      <polygon class="area" points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
      <polyline class="line" points={line} />
    </svg>
  );
}
