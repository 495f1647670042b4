import type { Dashboard, Panel } from './dashboard.ts';

/** Of Grafana 12; older files are migrated when they are loaded, newer ones refused by nobody. */
const SCHEMA_VERSION = 41;
/** Grafana's grid has 24 columns. */
const PANEL_SIZE = { w: 12, h: 8 };
const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** @returns Grafana's JSON model of the dashboard */
export function renderDashboard({ id, title, panels }: Dashboard): string {
  const model = {
    uid: id,
    title,
    tags: ['peregrine'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }],
    },
    annotations: { list: [] },
    links: [
      {
        title: 'Peregrine',
        type: 'dashboards',
        tags: ['peregrine'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    panels: panels.map(renderPanel),
  };
  return `${JSON.stringify(model, null, 2)}\n`;
}

function renderPanel({ title, unit, description, queries }: Panel, index: number) {
  const { w, h } = PANEL_SIZE;
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    ...(description === undefined ? {} : { description }),
    gridPos: { x: (index % 2) * w, y: Math.floor(index / 2) * h, w, h },
    datasource: DATA_SOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, custom: { fillOpacity: 10, showPoints: 'never' } },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: queries.map(({ expression, legend }, query) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + query),
      datasource: DATA_SOURCE,
      expr: expression,
      legendFormat: legend,
      range: true,
    })),
  };
}
