/** Numbers, versions, dates, times, sizes and names with digits: any run that holds a digit. */
const WITH_DIGIT = /[\p{L}\p{N}_]*\p{N}[\p{L}\p{N}_]*(?:[.,:/+-][\p{L}\p{N}_]+)*%?/gu;
/** Names and identifiers: `Anna`, `maxRetries`, `NO_PROXY`, `--force`. */
const NAME = /(?<![\p{L}\p{N}_])(?:\p{Lu}[\p{L}\p{N}_]*|\p{Ll}+\p{Lu}[\p{L}\p{N}_]*|\w+_\w+|--?\w[\w-]*)/gu;
/** What stands in quotation marks: a title, a command, a text that is meant as it is written. */
const QUOTED = /"[^"\n]+"|“[^”\n]+”|«[^»\n]+»|`[^`\n]+`|(?<![\p{L}\p{N}])['‘][^'’\n]+['’](?![\p{L}\p{N}])/gu;
const WORD = /[\p{L}'’]+/gu;

/** What turns a statement into its opposite. A contraction is found by its end. */
const NEGATIONS = new Set(
  (
    'no not never none nobody nothing nowhere neither nor without cannot lacks lack fails fail except unless hardly ' +
    'barely seldom rarely refuse refuses forbid forbids forbidden avoid avoids stop stops stopped'
  ).split(' '),
);
const CONTRACTED = /n['’]t$/u;
/** Of two that exclude each other each is a fact; a word of quantity or time is one, too. */
const OPPOSITES = new Set(
  (
    'true false on off yes enable enables enabled disable disables disabled allow allows allowed deny denies denied ' +
    'accept accepts accepted reject rejects rejected include includes excluded exclude excludes included before after ' +
    'always sometimes often all some any few many most least more less min max minimum maximum first last up down ' +
    'above below over under left right start starts started end ends ended open opened close closed add adds added ' +
    'remove removes removed increase increases decrease decreases success failure public private likes like dislikes ' +
    'dislike love loves hate hates can could must should may might will would was were is are had has win wins lose ' +
    'loses buy buys sell sells in out with to from ' +
    'zero one two three four five six seven eight nine ten eleven twelve hundred thousand million half twice once ' +
    'monday tuesday wednesday thursday friday saturday sunday january february march april june july august september ' +
    'october november december today tomorrow yesterday now morning evening night daily weekly monthly yearly'
  ).split(' '),
);

/** A fact, and where it stands. */
interface Fact {
  readonly text: string;
  readonly at: number;
}

/**
 * What must agree before two texts may be taken for one: every number, version, date, name, quotation and word of polarity, with how
 * often it occurs. Embeddings hardly see these (`v1` and `v2`, `is` and `is not`), and a fact that differs in one of them is
 * another fact. Rather too strict: what stays apart is found twice, what is merged wrongly is lost.
 *
 * @returns equal for texts that may be merged
 */
export function protectedFacts(text: string): string {
  return joined(factsOf(text).toSorted((left, right) => (left.text < right.text ? -1 : 1)));
}

/** The same, and their order too: `from Rome to Oslo` is not `from Oslo to Rome`. */
export function protectedFactsInOrder(text: string): string {
  return joined(factsOf(text).toSorted((left, right) => left.at - right.at));
}

function factsOf(text: string): Fact[] {
  const normal = text.normalize('NFKC');
  return [
    ...matches(normal, WITH_DIGIT),
    ...matches(normal, QUOTED),
    ...namesOf(normal),
    ...matches(normal, WORD).flatMap(polarityOf),
  ];
}

/** The first word of a sentence is written large whatever it is: it counts as a name only when it looks like one. */
function namesOf(text: string): Fact[] {
  return [...text.matchAll(NAME)]
    .filter(({ 0: name, index }) => /\p{Lu}.*\p{Lu}|[_-]/u.test(name) || !startsSentence(text, index))
    .map(({ 0: name, index }) => ({ text: name, at: index }));
}

function startsSentence(text: string, index: number): boolean {
  return /(?:^|[.!?:]\s*|\n\s*)["'(]*$/u.test(text.slice(Math.max(0, index - 8), index));
}

function polarityOf({ text: word, at }: Fact): Fact[] {
  if (CONTRACTED.test(word) || NEGATIONS.has(word))
    return [{ text: `not:${word.replace(CONTRACTED, '')}`, at }];
  return OPPOSITES.has(word) ? [{ text: word, at }] : [];
}

function matches(text: string, pattern: RegExp): Fact[] {
  return [...text.matchAll(pattern)].map(({ 0: match, index }) => ({ text: match.toLowerCase(), at: index }));
}

function joined(facts: readonly Fact[]): string {
  return facts.map((it) => it.text).join('\n');
}
