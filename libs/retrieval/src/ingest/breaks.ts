/** Where a text may be parted, best first: after a line, after a sentence, after a word. */
const BREAKS = [/\n/g, /[。！？]|[.!?]['")\]]?\s+/g, /\s+/g];

/** The last good place to part `text` in (from, to], or `to` where there is none: never between the halves of a character. */
export function lastBreak(text: string, from: number, to: number): number {
  for (const at of placesByRank(text, from, to)) {
    const last = at.at(-1);
    if (last !== undefined) return last;
  }
  return wholeCharacter(text, to);
}

/** The first place in [from, to) that a reader can begin at, or `from` where there is none. */
export function firstBreak(text: string, from: number, to: number): number {
  for (const at of placesByRank(text, from - 1, to - 1)) {
    const [first] = at;
    if (first !== undefined) return first;
  }
  return wholeCharacter(text, from);
}

function* placesByRank(text: string, from: number, to: number): Generator<number[]> {
  const part = text.slice(Math.max(0, from), to);
  for (const pattern of BREAKS) {
    yield Array.from(part.matchAll(pattern), (it) => Math.max(0, from) + it.index + it[0].length).filter(
      (it) => it > from && it <= to,
    );
  }
}

function wholeCharacter(text: string, at: number): number {
  const isInside = at > 0 && isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
  return isInside ? at - 1 : at;
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;
