import { type Transactions } from '@peregrine/database';
import { type EntityManager } from 'typeorm';
import { calibrate, type CalibrationRule, type CalibrationSample, raised } from './calibration-rule.js';

/** What is kept of one query. */
export interface NewSample {
  /** 0 or more; infinite when no certainty would have been enough. */
  readonly neededZ: number;
  /** The recall floor that it was asked with. */
  readonly floor: number;
  /** How many chunks its exact answer has. */
  readonly k: number;
  readonly source: CalibrationSample['source'];
}

/** Stands for what no certainty reaches: beyond any that there is. */
const UNREACHED = 99;

/** The samples of an embedding model, in a table that all processes share. The oldest go when there are more than are kept. */
export class CalibrationStore {
  constructor(
    private readonly transactions: Transactions,
    private readonly embedder: string,
    private readonly keptSamples: number,
  ) {}

  /** Oldest first. */
  load(): Promise<CalibrationSample[]> {
    return this.transactions.manager.query<CalibrationSample[]>(
      `SELECT s.needed_z AS "neededZ", s.source, s.raised_to AS "raisedTo" FROM (
         SELECT * FROM retrieval_calibration WHERE embedder = $1 ORDER BY id DESC LIMIT $2
       ) s ORDER BY s.id`,
      [this.embedder, this.keptSamples],
    );
  }

  async add(samples: readonly NewSample[]): Promise<void> {
    await this.transactions.run((manager) => this.#insert(manager, samples, null));
  }

  /** Adds the sample of an answer that was certified and under its floor. Processes that find one at once raise one after the other. @returns what the certainty was raised to */
  addFailure(sample: NewSample, rule: CalibrationRule): Promise<number> {
    return this.transactions.run(async (manager) => {
      await manager.query(
        `SELECT pg_advisory_xact_lock(hashtextextended('retrieval_calibration ' || $1, 0))`,
        [this.embedder],
      );
      const to = raised(calibrate(await this.load(), rule).z);
      await this.#insert(manager, [sample], to);
      return to;
    });
  }

  async #insert(
    manager: EntityManager,
    samples: readonly NewSample[],
    raisedTo: number | null,
  ): Promise<void> {
    await manager.query(
      `INSERT INTO retrieval_calibration (embedder, needed_z, floor, k, source, raised_to)
       SELECT $1, t.*, $6 FROM unnest($2::float8[], $3::float8[], $4::integer[], $5::text[]) AS t`,
      [
        this.embedder,
        samples.map((it) => Math.min(UNREACHED, it.neededZ)),
        samples.map((it) => it.floor),
        samples.map((it) => it.k),
        samples.map((it) => it.source),
        raisedTo,
      ],
    );
    await manager.query(
      `DELETE FROM retrieval_calibration WHERE embedder = $1 AND id <= (
         SELECT id FROM retrieval_calibration WHERE embedder = $1 ORDER BY id DESC LIMIT 1 OFFSET $2
       )`,
      [this.embedder, this.keptSamples],
    );
  }
}
