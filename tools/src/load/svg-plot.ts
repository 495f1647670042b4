/** A curve; points without a value are gaps. */
export interface Curve {
  readonly name: string;
  readonly color: string;
  readonly values: readonly (number | null)[];
}

export interface Plot {
  readonly title: string;
  /** One value a second, from 0. */
  readonly curves: readonly Curve[];
  readonly unit: string;
}

const WIDTH = 900;
const HEIGHT = 320;
const MARGIN = { left: 64, right: 16, top: 44, bottom: 36 };
const LINES = 4;

/** Curves over the seconds of a run as SVG, readable on light and dark. */
export function renderPlot({ title, curves, unit }: Plot): string {
  const seconds = Math.max(2, ...curves.map(({ values }) => values.length));
  const top = roundUp(Math.max(1e-3, ...curves.flatMap(({ values }) => values.map((it) => it ?? 0))));
  const x = (second: number) => MARGIN.left + (second / (seconds - 1)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) => HEIGHT - MARGIN.bottom - (value / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const label = (value: number) => Number(value.toPrecision(3));
  const grid = Array.from({ length: LINES + 1 }, (_, index) => {
    const value = (top * index) / LINES;
    const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${fix(y(value))}" y2="${fix(y(value))}" stroke="#8886"/>`;
    return `${line}<text x="${MARGIN.left - 8}" y="${fix(y(value) + 4)}" text-anchor="end">${label(value)}</text>`;
  });
  const times = Array.from({ length: LINES + 1 }, (_, index) => {
    const second = ((seconds - 1) * index) / LINES;
    return `<text x="${fix(x(second))}" y="${HEIGHT - 12}" text-anchor="middle">${label(second)} s</text>`;
  });
  const legend = curves.map(
    ({ name, color }, index) =>
      `<text x="${MARGIN.left + index * 150}" y="36" fill="${color}">&#9632; ${escape(name)}</text>`,
  );
  const lines = curves.map(
    ({ values, color }) =>
      `<path d="${pathOf(values, x, y)}" fill="none" stroke="${color}" stroke-width="1.5" stroke-linecap="round"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#888">`,
    `<text x="${MARGIN.left}" y="18" font-size="14" font-weight="bold">${escape(title)}, ${escape(unit)}</text>`,
    ...grid,
    ...times,
    ...legend,
    ...lines,
    '</svg>\n',
  ].join('\n');
}

/** The line of no length makes a dot of a point between two gaps. */
function pathOf(
  values: readonly (number | null)[],
  x: (it: number) => number,
  y: (it: number) => number,
): string {
  let isOpen = false;
  return values
    .flatMap((value, second) => {
      const wasOpen = isOpen;
      isOpen = value !== null;
      return value === null
        ? []
        : [`${wasOpen ? 'L' : 'M'}${fix(x(second))} ${fix(y(value))}${wasOpen ? '' : ' h0'}`];
    })
    .join(' ');
}

/** To 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((it) => it * power >= value) ?? 10) * power;
}

const fix = (value: number) => value.toFixed(1);
const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
