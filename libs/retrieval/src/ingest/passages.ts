/** Raised with every change of how passages are made: files are ingested anew then. */
export const CHUNKING = 1;
