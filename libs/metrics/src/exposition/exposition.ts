import { type HttpInstruments } from '../http/http-instruments.js';
import { METRIC_NAMES } from '../metrics.tokens.js';
import { type ProcessInstruments } from '../process/process-instruments.js';
import { EXPOSITION_CONTENT_TYPES, type ExpositionFormat } from './exposition-format.js';
import { type Labels, type PageFamily, singleValue } from './page-family.js';
import { renderPage } from './render-page.js';
import { type SliceFigures, Slices } from './slices.js';
import { type SourceCollector } from './source-collector.js';

/** An answer to a scrape. */
export interface MetricsPage {
  readonly contentType: string;
  /** The page in pieces, for a stream: together they may be many megabytes. */
  readonly chunks: readonly Buffer[];
  /** Length of all pieces together. */
  readonly bytes: number;
}

/** What a page is made of. */
export interface ExpositionParts {
  readonly defaultLabels: Labels;
  readonly http: HttpInstruments;
  readonly process: ProcessInstruments | undefined;
  readonly collector: SourceCollector;
}

const OWN_NAMES: ReadonlySet<string> = new Set(Object.values(METRIC_NAMES));
const OWN_HISTOGRAMS = [
  METRIC_NAMES.requestDuration,
  METRIC_NAMES.requestSize,
  METRIC_NAMES.responseSize,
  METRIC_NAMES.gcDuration,
] as const;

/** Makes a page of the library's own figures, those of the process, and those of the sources. */
export class Exposition {
  readonly #parts: ExpositionParts;
  /** Of the last page. */
  #last: SliceFigures = { rows: 0, longestRows: 0, longestSeconds: 0 };

  constructor(parts: ExpositionParts) {
    this.#parts = parts;
  }

  /** Whether a name is not for sources. */
  isReserved(family: string): boolean {
    if (OWN_NAMES.has(family) || this.#parts.process?.has(family)) return true;
    return OWN_HISTOGRAMS.some((it) => family.startsWith(`${it}_`));
  }

  async page(format: ExpositionFormat): Promise<MetricsPage> {
    const { collector, defaultLabels, http, process } = this.#parts;
    const slices = new Slices();
    // Sources first: their failures are figures of this same scrape.
    const foreign = await collector.collect(slices);
    slices.end();
    const standard = (await process?.families()) ?? [];
    slices.begin();
    const families = [...standard, ...http.families(), ...this.#ownFamilies(), ...foreign];
    const chunks = await renderPage(families, defaultLabels, slices, format);
    slices.end();
    this.#last = slices.figures();
    const bytes = chunks.reduce((sum, it) => sum + it.length, 0);
    return { contentType: EXPOSITION_CONTENT_TYPES[format], chunks, bytes };
  }

  #ownFamilies(): PageFamily[] {
    const { collector, http } = this.#parts;
    const overflows = [[METRIC_NAMES.requests, http.overflowed] as const, ...collector.overflows];
    const { rows, longestRows, longestSeconds } = this.#last;
    return [
      {
        name: METRIC_NAMES.overflow,
        type: 'counter',
        help: 'Observations folded into __overflow__, or samples of a source left out, because of maxLabelSets',
        groups: [overflows.map(([metric, value]) => ({ labels: { metric }, value }))],
      },
      {
        name: METRIC_NAMES.sourceErrors,
        type: 'counter',
        help: 'Scrapes in which a metric source failed, was late, or gave an invalid family',
        groups: [[...collector.errors].map(([source, value]) => ({ labels: { source }, value }))],
      },
      singleValue(METRIC_NAMES.scrapeRows, 'gauge', 'Rows worked off for the scrape before this one', rows),
      singleValue(
        METRIC_NAMES.scrapeLongestSliceRows,
        'gauge',
        'Most rows between two turns of the event loop, in the scrape before this one',
        longestRows,
      ),
      singleValue(
        METRIC_NAMES.scrapeLongestSlice,
        'gauge',
        'Longest time between two turns of the event loop, in the scrape before this one, seconds',
        longestSeconds,
      ),
    ];
  }
}
