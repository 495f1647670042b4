/** Content codings as HTTP names them, in the order in which we prefer them. */
export const CODINGS = ['br', 'zstd', 'gzip', 'identity'] as const;
export type Coding = (typeof CODINGS)[number];

/** Of a client that says nothing: it may be one that can read nothing else. */
const IDENTITY_ONLY: readonly Coding[] = ['identity'];
const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * The codings a client accepts, the one it wants most first; between equals the smaller one. Empty when it accepts none
 * (RFC 9110, section 12.5.3).
 */
export function acceptedCodings(header: string | undefined): readonly Coding[] {
  if (header === undefined) return IDENTITY_ONLY;
  const weights = weightsIn(header);
  const anything = weights.get('*');
  const weightOf = (coding: Coding): number => {
    const stated = weights.get(coding) ?? anything;
    // Identity stays acceptable unless it is refused, but what the client names comes first.
    return stated ?? (coding === 'identity' ? Number.MIN_VALUE : 0);
  };
  return CODINGS.filter((it) => weightOf(it) > 0).sort((a, b) => weightOf(b) - weightOf(a));
}

/** What can not be read of the header is left out, as if it did not stand there. */
function weightsIn(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.split(',')) {
    const [name = '', ...parameters] = element.split(';').map((it) => it.trim().toLowerCase());
    const q = parameters.find((it) => it.startsWith('q='))?.slice(2) ?? '1';
    if (name !== '' && QVALUE.test(q)) weights.set(name === 'x-gzip' ? 'gzip' : name, Number(q));
  }
  return weights;
}

/** Remembers the few spellings that most clients share. */
export class AcceptedCodings {
  readonly #known = new Map<string, readonly Coding[]>();

  /** As {@link acceptedCodings}. */
  of(header: string | undefined): readonly Coding[] {
    if (header === undefined) return IDENTITY_ONLY;
    let codings = this.#known.get(header);
    if (codings === undefined) {
      codings = acceptedCodings(header);
      // Forgetting all of them bounds the memory against invented spellings.
      if (this.#known.size >= 256) this.#known.clear();
      this.#known.set(header, codings);
    }
    return codings;
  }
}
