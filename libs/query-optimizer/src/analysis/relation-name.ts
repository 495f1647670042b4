/** A table, view or function name as written: folded by PostgreSQL's rules, without quotes. */
export interface RelationName {
  /** Null when the text gives none: the search path decides. */
  readonly schema: string | null;
  readonly name: string;
}

/** Quotes always, so that the text is one key per name: `"public"."file"`, `"file"`. */
export function formatRelationName({ schema, name }: RelationName): string {
  return schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
