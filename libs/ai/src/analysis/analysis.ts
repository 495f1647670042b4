import { type TokenUsage } from '../usage/usage-event.js';

export type FindingSeverity = 'error' | 'warning';

/** Something that an analysis found; places count from 1. */
export interface Finding {
  readonly rule: string;
  readonly severity: FindingSeverity;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number | null;
  readonly endColumn: number | null;
}

/** The result of an analysis. */
export interface Analysis {
  readonly language: string;
  /** What made it, with its version. */
  readonly model: string;
  /** The rules that were looked at, groups opened, sorted. */
  readonly rules: readonly string[];
  /** By place. */
  readonly findings: readonly Finding[];
  /** There were more findings than are listed. */
  readonly isTruncated: boolean;
  readonly lines: number;
  readonly errors: number;
  readonly warnings: number;
}

/** Code in the form of `normalisedCode`, and rules that the analyser knows. */
export interface AnalysisInput {
  readonly code: string;
  readonly language: string;
  readonly rules: readonly string[];
}

export interface AnalysedCode {
  readonly findings: readonly Finding[];
  readonly usage: TokenUsage;
}

/** Makes analyses; knows no cache. */
export interface Analyser {
  /** With its version: part of every key. */
  readonly model: string;
  /** As price tables know it. */
  readonly name: string;
  readonly languages: readonly string[];
  analyse(input: AnalysisInput): Promise<AnalysedCode>;
}
