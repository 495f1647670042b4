import { clock } from '../live/format.js';

export interface PlotLine {
  readonly name: string;
  readonly values: readonly number[];
  /** The one that matters; the other ones are there to compare it with. */
  readonly isMain: boolean;
}

interface TimePlotProps {
  /** What the picture says, for those who do not see it. */
  label: string;
  /** Of each value, ISO 8601, the oldest first. */
  times: readonly string[];
  lines: readonly PlotLine[];
  format: (value: number) => string;
}

const WIDTH = 640;
const HEIGHT = 180;
const LEFT = 64;
const BOTTOM = 24;
const TOP = 10;
const MARKS = [0, 0.5, 1];

/** Courses over time on one scale from 0, with their axes and a legend. */
export function TimePlot({ label, times, lines, format }: TimePlotProps) {
  const highest = Math.max(...lines.flatMap(({ values }) => values), 0.000_001);
  const x = (index: number) => LEFT + (index * (WIDTH - LEFT)) / Math.max(1, times.length - 1);
  const y = (value: number) => TOP + (1 - value / highest) * (HEIGHT - TOP - BOTTOM);
  const [first = '', last = ''] = [times[0], times.at(-1)];
  return (
    <figure class="plot">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
        {MARKS.map((share) => (
          <g key={share}>
            <line class="grid" x1={LEFT} x2={WIDTH} y1={y(share * highest)} y2={y(share * highest)} />
            <text x={LEFT - 8} y={y(share * highest) + 4} text-anchor="end">
              {format(share * highest)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>
          {first && clock(first)}
        </text>
        <text x={WIDTH} y={HEIGHT - 4} text-anchor="end">
          {last && clock(last)}
        </text>
        {lines.map(({ name, values, isMain }) => (
          <polyline
            key={name}
            class={isMain ? 'line' : 'line compared'}
            points={values.map((it, index) => `${x(index)},${y(it)}`).join(' ')}
          />
        ))}
      </svg>
      <figcaption>
        {lines.map(({ name, isMain }) => (
          <span key={name}>
            <span class={isMain ? 'stroke' : 'stroke compared'} aria-hidden="true" />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
