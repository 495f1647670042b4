import { expect, it } from '@jest/globals';
import { describeRejected } from './recommendation-answers.js';

it.each([
  [
    `CREATE INDEX ON a USING btree (b) WHERE (c = 'secret')`,
    `CREATE INDEX ON a USING btree (b) WHERE (c = '…')`,
  ],
  [
    `CREATE INDEX ON a USING btree (b) WHERE (c = 'it''s')`,
    `CREATE INDEX ON a USING btree (b) WHERE (c = '…')`,
  ],
  [
    `CREATE INDEX ON "a'b" USING btree ("c""d'") WHERE d`,
    `CREATE INDEX ON "a'b" USING btree ("c""d'") WHERE d`,
  ],
  [
    `CREATE INDEX ON a USING btree ((b ->> 'key'::text))`,
    `CREATE INDEX ON a USING btree ((b ->> '…'::text))`,
  ],
])('shows %s without its constants', (candidate, shown) => {
  const table = { schema: 'public', name: 'a' };
  const rejected = { candidate, table, code: 'no-gain', reason: 'The planner does not use it.' } as const;
  expect(describeRejected(rejected).candidate).toBe(shown);
});
