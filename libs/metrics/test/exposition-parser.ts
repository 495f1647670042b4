/** One line of samples. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family as the text format has it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;
const NUMBER = /^(?:[+-]?Inf|NaN|Nan|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Reads Prometheus' text format 0.0.4 and throws at whatever a server may refuse: a family twice or without its HELP and
 * TYPE, samples outside their family, a label set twice, malformed labels or numbers, no newline at the end, buckets that
 * are not cumulative.
 */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ParsedFamily & { samples: ParsedSample[] }>();
  let current: { name: string; help: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, help] = /^# HELP (\S+ .*)$/.exec(line) ?? [];
    const [, type] = /^# TYPE (\S+ (?:counter|gauge|histogram|summary|untyped))$/.exec(line) ?? [];
    if (help !== undefined) {
      const name = help.slice(0, help.indexOf(' '));
      if (families.has(name)) throw new Error(`family twice: ${name}`);
      current = { name, help: help.slice(name.length + 1) };
    } else if (type !== undefined) {
      const [name, kind] = type.split(' ') as [string, string];
      if (current?.name !== name) throw new Error(`TYPE without HELP: ${line}`);
      families.set(name, { ...current, type: kind, samples: [] });
    } else {
      const family = families.get(current?.name ?? '');
      if (!family) throw new Error(`sample outside a family: ${line}`);
      family.samples.push(parseSample(line, family));
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function parseSample(line: string, family: ParsedFamily): ParsedSample {
  const match = SAMPLE.exec(line);
  if (!match) throw new Error(`no sample: ${line}`);
  const [, name, labelText, valueText] = match as unknown as [string, string, string | undefined, string];
  const allowed = (SUFFIXES[family.type] ?? ['']).map((it) => family.name + it);
  if (!allowed.includes(name)) throw new Error(`${name} does not belong to ${family.name}`);
  if (!NUMBER.test(valueText)) throw new Error(`no number: ${line}`);
  return { name, labels: parseLabels(labelText ?? '', line), value: toNumber(valueText) };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = LABEL.exec(rest);
    if (!match) throw new Error(`malformed labels: ${line}`);
    const [all, name, value] = match as unknown as [string, string, string];
    if (name in labels) throw new Error(`label twice: ${line}`);
    labels[name] = value.replace(/\\(.)/g, (_, it: string) => (it === 'n' ? '\n' : it));
    rest = rest.slice(all.length);
  }
  return labels;
}

function checkFamily({ name, type, samples }: ParsedFamily): void {
  const keys = samples.map((it) => it.name + JSON.stringify(Object.entries(it.labels).sort()));
  if (new Set(keys).size !== keys.length) throw new Error(`label set twice in ${name}`);
  if (type !== 'histogram') return;
  const last = new Map<string, number>();
  for (const { name: sample, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(others);
    if (sample.endsWith('_bucket')) {
      if (le === undefined) throw new Error(`bucket without le in ${name}`);
      if (value < (last.get(key) ?? 0)) throw new Error(`buckets of ${name} are not cumulative`);
      last.set(key, value);
    } else if (sample.endsWith('_count') && value !== last.get(key)) {
      throw new Error(`count of ${name} is not its +Inf bucket`);
    }
  }
}

function toNumber(text: string): number {
  if (text.endsWith('Inf')) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text === 'Nan' ? 'NaN' : text);
}
