import type { Conversion } from '../conversion-format.js';

/** What a conversion thread says of its job. */
export type ConversionAnswer =
  | { kind: 'converted'; conversion: Conversion }
  | { kind: 'refused'; reason: string }
  /** A defect of a converter. */
  | { kind: 'failed'; message: string };
