import type { HitRatioCell, HitRatioReport, PolicyName } from './hit-ratio.ts';

const PANEL = { width: 300, height: 240, left: 46, right: 14, top: 34, bottom: 44 } as const;
const LEGEND_HEIGHT = 40;
const LEGEND_ITEM_WIDTH = 130;
const GRID = [0, 25, 50, 75, 100];

/** Mid tones that keep their contrast on white and on black; shapes tell them apart without colour. */
const LOOKS: Readonly<Record<PolicyName, { colour: string; dash: string; width: number }>> = {
  peregrine: { colour: '#d9480f', dash: '', width: 3 },
  'lru-cache': { colour: '#1c7ed6', dash: '6 3', width: 1.8 },
  'sieve-cache': { colour: '#2b9348', dash: '2 3', width: 1.8 },
  transitory: { colour: '#9c5fd6', dash: '8 3 2 3', width: 1.8 },
  Belady: { colour: '#868e96', dash: '1 4', width: 1.8 },
};

/** Hit ratio by size, one panel a trace, as SVG for light and dark pages: the background is left to the page. */
export function renderHitRatioPlot({ cells }: HitRatioReport): string {
  const traces = [...new Set(cells.map((it) => it.trace))];
  const width = PANEL.width * traces.length;
  const height = PANEL.height + LEGEND_HEIGHT;
  const panels = traces.map((trace, i) =>
    panel(
      trace,
      cells.filter((it) => it.trace === trace),
      i * PANEL.width,
    ),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Hit ratio by cache size for ${traces.join(', ')}">
<style>
  text { font: 12px system-ui, sans-serif; fill: #57606a; }
  .title { font-weight: 600; font-size: 13px; }
  .grid { stroke: #8b949e; stroke-opacity: 0.35; stroke-width: 1; }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4; } }
</style>
${panels.join('\n')}
${legend(width)}
</svg>
`;
}

function panel(trace: string, cells: readonly HitRatioCell[], left: number): string {
  const sizes = [...new Set(cells.map((it) => it.size))].toSorted((a, b) => a - b);
  const [smallest = 1, largest = 1] = [sizes[0], sizes.at(-1)];
  const inner = {
    width: PANEL.width - PANEL.left - PANEL.right,
    height: PANEL.height - PANEL.top - PANEL.bottom,
  };
  const x = (size: number) =>
    PANEL.left + (inner.width * Math.log(size / smallest)) / Math.log(largest / smallest || 2);
  const y = (ratio: number) => PANEL.top + inner.height * (1 - ratio / 100);
  const grid = GRID.map(
    (ratio) =>
      `<line class="grid" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y(ratio)}" y2="${y(ratio)}"/>` +
      `<text x="${PANEL.left - 6}" y="${y(ratio) + 4}" text-anchor="end">${ratio}</text>`,
  );
  const ticks = sizes.map(
    (size) => `<text x="${x(size)}" y="${PANEL.height - 26}" text-anchor="middle">${size}</text>`,
  );
  const lines = [...new Set(cells.map((it) => it.policy))]
    .toReversed()
    .map((policy) => curve(policy, cells, x, y));
  return `<g transform="translate(${left} 0)">
<text class="title" x="${PANEL.left}" y="20">${trace}: hit ratio, %</text>
${grid.join('\n')}
${ticks.join('\n')}
<text x="${PANEL.left + inner.width / 2}" y="${PANEL.height - 8}" text-anchor="middle">entries</text>
${lines.join('\n')}
</g>`;
}

function curve(
  policy: PolicyName,
  cells: readonly HitRatioCell[],
  x: (size: number) => number,
  y: (ratio: number) => number,
): string {
  const { colour, dash, width } = LOOKS[policy];
  const points = cells
    .filter((it) => it.policy === policy)
    .map((it) => [x(it.size).toFixed(1), y(it.hitRatio).toFixed(1)] as const);
  const path = points.map((point) => point.join(',')).join(' ');
  const dots = points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="${width}" fill="${colour}"/>`);
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash}"/>${dots.join('')}`;
}

function legend(width: number): string {
  const policies = Object.entries(LOOKS);
  const left = (width - LEGEND_ITEM_WIDTH * policies.length) / 2;
  const y = PANEL.height + LEGEND_HEIGHT / 2;
  return policies
    .map(([policy, look], i) => {
      const x = left + i * LEGEND_ITEM_WIDTH;
      return (
        `<line x1="${x}" x2="${x + 26}" y1="${y}" y2="${y}" stroke="${look.colour}" stroke-width="${look.width}" stroke-dasharray="${look.dash}"/>` +
        `<text x="${x + 32}" y="${y + 4}">${policy}</text>`
      );
    })
    .join('\n');
}
