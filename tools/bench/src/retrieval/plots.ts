import type { CertaintyBand } from './measure/certainty.ts';
import type { OnlineSamples } from './suites/online-suite.ts';

const SIZE = { width: 640, height: 300, left: 60, right: 16, top: 36, bottom: 72 } as const;
const INNER = { width: SIZE.width - SIZE.left - SIZE.right, height: SIZE.height - SIZE.top - SIZE.bottom };
/** Mid tones that keep their contrast on white and on black; shapes tell them apart without colour. */
const LOOKS = [
  { colour: '#d9480f', dash: '', width: 3 },
  { colour: '#1c7ed6', dash: '6 3', width: 2 },
  { colour: '#2b9348', dash: '2 3', width: 2 },
  { colour: '#868e96', dash: '8 3 2 3', width: 2 },
] as const;
const LEGEND_ITEM_WIDTH = 150;
const RECALL_GRID = [0, 0.25, 0.5, 0.75, 1];
const GRID_LINES = 4;

/** Mean recall and the share of answers that keep the floor, by what answers say of their own certainty. */
export function renderRecallPlot(bands: readonly CertaintyBand[]): string {
  const known = bands.filter((it) => it.answers > 0);
  const x = (at: number) => SIZE.left + (INNER.width * (at + 0.5)) / known.length;
  const y = (share: number) => SIZE.top + INNER.height * (1 - share);
  const lines = [
    curve(
      known.map((it, at) => [x(at), y(it.meanRecall)]),
      0,
    ),
    curve(
      known.map((it, at) => [x(at), y(1 - it.under)]),
      1,
    ),
  ];
  const ticks = known.map(
    (it, at) =>
      `<text x="${x(at)}" y="${SIZE.height - 50}" text-anchor="middle">${it.name}</text>` +
      `<text x="${x(at)}" y="${SIZE.height - 36}" text-anchor="middle" class="small">${it.answers}</text>`,
  );
  return page('Recall by the z of an answer (below: how many answers)', [
    ...RECALL_GRID.map((it) => gridLine(y(it), `${100 * it} %`)),
    ...ticks,
    ...lines,
    legend(['mean recall', 'answers that keep 0.95']),
  ]);
}

/** What the planner takes longer than the oracle, in blocks of questions as they come. */
export function renderRegretPlot({ block, curves }: OnlineSamples): string {
  const most = Math.max(1, ...curves.flatMap((it) => it.regretMs));
  const count = Math.max(1, ...curves.map((it) => it.regretMs.length));
  const x = (at: number) => SIZE.left + (INNER.width * (at + 0.5)) / count;
  const y = (ms: number) => SIZE.top + INNER.height * (1 - Math.max(0, ms) / most);
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, n) => (most * n) / GRID_LINES);
  const ticks = Array.from(
    { length: count },
    (_, at) => `<text x="${x(at)}" y="${SIZE.height - 50}" text-anchor="middle">${(at + 1) * block}</text>`,
  );
  return page('Regret: milliseconds a question over the oracle, by questions so far', [
    ...grid.map((it) => gridLine(y(it), it.toFixed(1))),
    ...ticks,
    ...curves.map(({ regretMs }, look) =>
      curve(
        regretMs.map((ms, at) => [x(at), y(ms)]),
        look,
      ),
    ),
    legend(curves.map((it) => it.name)),
  ]);
}

/** For light and dark pages: the background is left to the page. */
function page(title: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" role="img" aria-label="${title}">
<style>
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-weight: 600; font-size: 13px; }
  .small { font-size: 10px; }
  .grid { stroke: #8b949e; stroke-opacity: 0.35; stroke-width: 1; }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4; } }
</style>
<text class="title" x="${SIZE.left}" y="20">${title}</text>
${parts.join('\n')}
</svg>
`;
}

function gridLine(y: number, label: string): string {
  return (
    `<line class="grid" x1="${SIZE.left}" x2="${SIZE.width - SIZE.right}" y1="${y}" y2="${y}"/>` +
    `<text x="${SIZE.left - 6}" y="${y + 4}" text-anchor="end">${label}</text>`
  );
}

function curve(points: readonly (readonly [number, number])[], look: number): string {
  const { colour, dash, width } = LOOKS[look % LOOKS.length] ?? LOOKS[0];
  const rounded = points.map(([x, y]) => [x.toFixed(1), y.toFixed(1)] as const);
  const dots = rounded.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="${width}" fill="${colour}"/>`);
  const path = rounded.map((it) => it.join(',')).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash}"/>${dots.join('')}`;
}

function legend(names: readonly string[]): string {
  const left = SIZE.left + (INNER.width - LEGEND_ITEM_WIDTH * names.length) / 2;
  const y = SIZE.height - 14;
  return names
    .map((name, at) => {
      const { colour, dash, width } = LOOKS[at % LOOKS.length] ?? LOOKS[0];
      const x = left + at * LEGEND_ITEM_WIDTH;
      return (
        `<line x1="${x}" x2="${x + 22}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash}"/>` +
        `<text x="${x + 28}" y="${y + 4}">${name}</text>`
      );
    })
    .join('\n');
}
