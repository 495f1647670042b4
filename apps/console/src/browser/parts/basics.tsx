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

/** In place of what is not there: why, and what to do. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A table that scrolls by itself on a phone. */
export function Table({ name, head, children }: { name: string; head: string[]; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={name} tabIndex={0}>
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

/** The course of a number; the last value is the present. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const highest = Math.max(...values, 0.000_001);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((it, index) => `${index * step},${HEIGHT - 2 - (it / highest) * (HEIGHT - 4)}`);
  // A single value is a line, too: never an empty picture.
  const line = points.length === 1 ? [...points, `${WIDTH},${points[0]?.split(',')[1]}`] : points;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon class="area" points={`0,${HEIGHT} ${line.join(' ')} ${WIDTH},${HEIGHT}`} />
      <polyline class="line" points={line.join(' ')} />
    </svg>
  );
}
