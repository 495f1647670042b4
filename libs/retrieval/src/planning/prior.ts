import { Logger } from '@nestjs/common';
import { type PlannerModel } from '@peregrine/query-optimizer';
import { readFileSync } from 'node:fs';
import { RETRIEVAL_FEATURES } from './plan-features.js';

/** Beside the sources and beside what is built of them. */
const SHIPPED = new URL('../../prior.json', import.meta.url);

/** The model that comes with the library: trained by the bench on other data. Undefined without one, or when it is of other features. */
export function shippedPrior(file = SHIPPED): PlannerModel | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const prior = JSON.parse(text) as PlannerModel;
  if (prior.features.join() === RETRIEVAL_FEATURES.join()) return prior;
  new Logger('RetrievalPrior').warn('The prior of the plan chooser is of other features: it is not used');
  return undefined;
}
