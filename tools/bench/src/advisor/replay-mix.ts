import { seededRandom } from '../harness/random.ts';

/** One kind of statement of the replayed workload. */
export interface ReplayKind {
  readonly id: string;
  readonly text: string;
  /** Out of 1,000. */
  readonly share: number;
  /** @param random a whole number from 1 to what is given */
  readonly parameters: (random: (most: number) => number, scale: number) => readonly unknown[];
}

const rows = (count: number, scale: number) => Math.max(20, Math.round(count * scale));

/** What an application asks all day, on the tables of `decision-support`; only primary keys are there at first. */
export const REPLAY_KINDS: readonly ReplayKind[] = [
  {
    id: 'purchase',
    share: 440,
    text: 'SELECT * FROM purchase WHERE purchase_id = $1',
    parameters: (random, scale) => [random(rows(150_000, scale))],
  },
  {
    id: 'lines of a purchase',
    share: 200,
    text: 'SELECT line_no, article_id, quantity, amount FROM purchase_line WHERE purchase_id = $1 ORDER BY line_no',
    parameters: (random, scale) => [random(rows(150_000, scale))],
  },
  {
    id: 'buyer',
    share: 150,
    text: 'SELECT b.name, b.phone, c.name AS country FROM buyer b JOIN country c USING (country_id) WHERE b.buyer_id = $1',
    parameters: (random, scale) => [random(rows(15_000, scale))],
  },
  {
    id: 'latest of a buyer',
    share: 100,
    text: 'SELECT purchase_id, placed_on, total FROM purchase WHERE buyer_id = $1 ORDER BY placed_on DESC LIMIT 20',
    parameters: (random, scale) => [random(rows(15_000, scale))],
  },
  {
    id: 'articles of a brand',
    share: 60,
    text: 'SELECT article_id, name, price FROM article WHERE brand = $1 AND container = $2 ORDER BY price LIMIT 10',
    parameters: (random) => [`Brand ${random(25)}`, random(2) === 1 ? 'MED BOX' : 'LG CAN'],
  },
  {
    id: 'sales of an article',
    share: 40,
    text: 'SELECT count(*), sum(amount) FROM purchase_line WHERE article_id = $1',
    parameters: (random, scale) => [random(rows(20_000, scale))],
  },
  {
    id: 'shipped on a day',
    share: 9,
    text: `SELECT mode, count(*), sum(amount) FROM purchase_line WHERE shipped_on = date '2020-01-01' + $1::int GROUP BY mode`,
    parameters: (random) => [random(1_500)],
  },
  {
    id: 'report of a year',
    share: 1,
    text: `SELECT l.mode, p.priority, sum(l.amount * (1 - l.discount)) FROM purchase p JOIN purchase_line l USING (purchase_id)
           WHERE p.placed_on >= $1::date AND p.placed_on < $1::date + interval '1 year' GROUP BY l.mode, p.priority`,
    parameters: (random) => [`202${random(3)}-01-01`],
  },
];

export interface ReplayStep {
  readonly kind: ReplayKind;
  readonly parameters: readonly unknown[];
}

/** The same statements in the same order, every time. */
export function replaySteps(count: number, scale: number): readonly ReplayStep[] {
  const next = seededRandom(20_261_121);
  const random = (most: number) => 1 + Math.floor(next() * most);
  const deck = REPLAY_KINDS.flatMap((kind) => Array.from({ length: kind.share }, () => kind));
  return Array.from({ length: count }, () => {
    const kind = deck[random(deck.length) - 1] ?? REPLAY_KINDS[0];
    if (kind === undefined) throw new Error('There is no statement to replay');
    return { kind, parameters: kind.parameters(random, scale) };
  });
}
