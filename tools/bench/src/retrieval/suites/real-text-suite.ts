import { formatNumber, type Line, type SuiteResult } from '../../harness/report.ts';
import type { SuiteOptions } from '../../harness/suite.ts';
import type { RetrievalBench } from '../bench-servers.ts';
import { manuals, packageDocuments, type TextCorpus } from '../real-text/corpora.ts';
import { askRealText, type RealTextResult } from '../real-text/real-text.ts';

/** Text that people wrote, by an embedding most of whose dimensions are zero. */
export async function runRealTextSuite(
  { isQuick, progress }: SuiteOptions,
  bench: RetrievalBench,
): Promise<SuiteResult> {
  const corpora: TextCorpus[] = [manuals(isQuick), await packageDocuments(isQuick)];
  const results = new Map<string, RealTextResult>();
  for (const corpus of corpora) {
    const title = `${corpus.name}: ${corpus.passages.length} passages, ${corpus.questions.length} questions`;
    results.set(
      corpus.name,
      await progress.step(title, () => bench.withEmpty((url) => askRealText(url, corpus))),
    );
  }
  return {
    title: 'Real text',
    notes: [
      'The embedding is the local one that hashes words. The order is by vector alone, and recall against every passage compared.',
    ],
    tables: [
      {
        caption: 'Ten answers to each question:',
        columns: [
          'Corpus',
          'passages',
          'questions',
          'mean recall',
          'under 0.95, %',
          'least z',
          'compared, %',
        ],
        rows: corpora.map(({ name, passages, questions }) => {
          const { meanRecall, under, leastZ, compared } = results.get(name)!;
          return [
            ...[name, formatNumber(passages.length), formatNumber(questions.length), meanRecall.toFixed(5)],
            ...[100 * under, leastZ, 100 * compared].map(formatNumber),
          ];
        }),
      },
    ],
    lines: [...results].map(([name, { under }]): Line => ({
      what: `${name}: answers under recall 0.95`,
      ...{ measured: 100 * under, limit: 0.5, bound: 'at most', unit: '%' },
    })),
    samples: Object.fromEntries(results),
  };
}
