import { scanSync } from 'libpg-query';

/** Byte offsets, as PostgreSQL's scanner and parser give them. */
interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Token {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly tokenName: string;
}

export function tokensOf(text: string): readonly Token[] {
  return scanSync(text).tokens;
}

/** The text with parts of it exchanged. The parts do not overlap. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  let position = 0;
  for (const { start, end, text: inserted } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(position, start), Buffer.from(inserted));
    position = end;
  }
  return Buffer.concat([...parts, bytes.subarray(position)]).toString();
}

/** Without semicolons at the end, which EXPLAIN and PREPARE would take for the end of themselves. */
export function withoutSemicolons(text: string): string {
  const edits = tokensOf(text).filter((it) => it.text === ';');
  return edited(
    text,
    edits.map(({ start, end }) => ({ start, end, text: ' ' })),
  );
}

/** $1, $2, … exchanged for `literals`; those without one stay. */
export function withLiterals(text: string, literals: ReadonlyMap<number, string>): string {
  const edits = tokensOf(text).flatMap(({ start, end, text: token, tokenName }) => {
    const literal = tokenName === 'PARAM' ? literals.get(Number(token.slice(1))) : undefined;
    return literal === undefined ? [] : [{ start, end, text: literal }];
  });
  return edited(text, edits);
}

/** A string constant that no setting of the session can turn into anything else. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
