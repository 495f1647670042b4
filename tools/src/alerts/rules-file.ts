import type { GeneratedFile } from '../generated-files.ts';
import { ALERTS } from './alerts.ts';
import { renderRules } from './render-rules.ts';

/** What Prometheus of the compose file reads. */
export const RULES_FILE = 'docker/prometheus/rules/peregrine.yml';

/** @param runbooks in front of a runbook's file name */
export function rulesFile(runbooks?: string): GeneratedFile {
  return { path: RULES_FILE, text: renderRules(ALERTS, runbooks === undefined ? {} : { runbooks }) };
}
