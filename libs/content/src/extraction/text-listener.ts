/** A file whose text, or that there is none, was just written. */
export interface ExtractedFile {
  readonly fileId: string;
  readonly revision: number;
}

/**
 * Hears of texts in the transaction that writes them: what it writes and submits is committed with them. What it throws has the
 * extraction tried again.
 */
export type TextListener = (files: readonly ExtractedFile[]) => Promise<void>;

/** The listener of the process. */
export const TEXT_LISTENER = Symbol('@peregrine/content:text-listener');

/** Nobody wants to know. */
export const deafListener: TextListener = () => Promise.resolve();
