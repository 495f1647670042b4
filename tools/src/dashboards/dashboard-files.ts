import type { GeneratedFile } from '../generated-files.ts';
import { DASHBOARDS } from './dashboards.ts';
import { renderDashboard } from './render-dashboard.ts';

/** What Grafana of the compose file loads. */
export const DASHBOARDS_FOLDER = 'docker/grafana/dashboards';

export function dashboardFiles(): GeneratedFile[] {
  return DASHBOARDS.map((it) => ({ path: `${DASHBOARDS_FOLDER}/${it.id}.json`, text: renderDashboard(it) }));
}
