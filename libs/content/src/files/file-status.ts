/**
 * How far the text of a file has come: `pending` (waits for extraction), `extracted` (searchable by its text),
 * `skipped` (no text in it; searchable by name and path), `failed` (it could not be read; searchable by name and
 * path, and the file itself is whole).
 */
export type FileStatus = 'pending' | 'extracted' | 'skipped' | 'failed';
