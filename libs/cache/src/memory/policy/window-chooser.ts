import { ShadowCache } from './shadow-cache.js';
import type { Bounds, TinyLfu } from './tiny-lfu.js';

/** Window shares that compete, from nearly all frequency to LRU, which is the last. */
const SHARES = [0.01, 0.1, 0.4, 1] as const;
const LRU = SHARES.length - 1;
/** What a cache starts with: good, if not best, under most loads. */
const FIRST = 1;

/** Shadows keep at least this many entries; a larger cache gives them a sample of its keys. */
const SHADOW_ENTRIES = 128;
/** Requests for each entry of a shadow between two decisions, and the least. */
const DECISION_REQUESTS = 0.25;
const MIN_DECISION_REQUESTS = 64;
/** What remains of the scores after a decision: they remember about ten times the entries. */
const SCORE_DECAY = 0.975;
/** A better share has to lead by so many standard deviations of the requests in which the two differ, … */
const DEVIATIONS = 1.5;
/** … by this part of the requests, and by this part of the entries, for changing costs misses. */
const MIN_LEAD = 0.002;
const CHANGE_COST = 0.05;
/** Over the last 25 times the entries the cache may be behind LRU by this part of the requests and no more. */
const MAX_REGRET = 0.003;
const REGRET_DECAY = 0.99;

/**
 * Finds the window that fits the load: small shadow caches with different windows see a sample of the requests, chosen
 * by hash (miniature simulation: Waldspurger, Saemundsson, Ahmad and Park, USENIX ATC 2017), and the window of the one
 * with the most hits is taken. No climbing from window to window, where a loop or a one-sided load has no slope to
 * climb. Since one of the shadows is LRU, the cache knows when it does worse than LRU, and then becomes it.
 */
export class WindowChooser {
  /** What the cache held when this was made. */
  readonly expectedEntries: number;
  readonly #shadows: readonly ShadowCache[];
  readonly #scores = new Float64Array(SHARES.length);
  /** Requests that a shadow answered otherwise than the chosen one. */
  readonly #differing = new Float64Array(SHARES.length);
  readonly #hits = new Uint8Array(SHARES.length);
  readonly #sampleShift: number;
  readonly #shadowEntries: number;
  #chosen: number;
  #scored = 0;
  #untilDecision: number;
  /** Hits that LRU had and the cache had not, and the requests, both fading. */
  #regret = 0;
  #regretRequests = 0;
  #isLruForced = false;

  /**
   * @param cache full; its present entries are what the shadows start with
   * @param chosen index of the share to start with
   */
  constructor(cache: TinyLfu, chosen: number = FIRST) {
    this.expectedEntries = cache.size;
    const sampleBits = Math.max(0, Math.floor(Math.log2(cache.size / SHADOW_ENTRIES)));
    this.#sampleShift = 32 - sampleBits;
    const sample = [...cache.oldestFirst()].filter((id) => this.samples(cache.hashOf(id)));
    const bounds = boundsOf(sample, cache);
    this.#shadowEntries = Math.max(1, sample.length);
    this.#shadows = SHARES.map((share) => new ShadowCache(bounds, share, this.#shadowEntries));
    for (const shadow of this.#shadows) {
      for (const id of sample) shadow.request(cache.hashOf(id), cache.weightOf(id));
      shadow.startCounting();
    }
    this.#chosen = chosen;
    this.#untilDecision = this.#decisionRequests;
  }

  /** Index of the share that is chosen; a later chooser of the same cache can start with it. */
  get chosen(): number {
    return this.#chosen;
  }

  get windowShare(): number {
    return SHARES[this.#chosen]!;
  }

  /** Entries of all shadows, for tests of their bound. */
  get shadowEntries(): number {
    return this.#shadows.reduce((sum, shadow) => sum + shadow.size, 0);
  }

  /** Whether requests of this key are to be told; the others cost nothing more. */
  samples(hash: number): boolean {
    return this.#sampleShift === 32 || hash >>> this.#sampleShift === 0;
  }

  /** Tells of a sampled request and what the cache did; true when it has decided on the window anew. */
  request(hash: number, weight: number, wasHit: boolean): boolean {
    const hits = this.#hits;
    for (let i = 0; i < SHARES.length; i++) hits[i] = this.#shadows[i]!.request(hash, weight) ? 1 : 0;
    const chosen = hits[this.#chosen]!;
    for (let i = 0; i < SHARES.length; i++) {
      this.#scores[i] = this.#scores[i]! + hits[i]!;
      if (hits[i] !== chosen) this.#differing[i] = this.#differing[i]! + 1;
    }
    this.#scored++;
    this.#regret += hits[LRU]! - Number(wasHit);
    this.#regretRequests++;
    if (--this.#untilDecision > 0) return false;
    this.#decide();
    return true;
  }

  /** A value was replaced: no request, and nobody's hit or miss. */
  replace(hash: number, weight: number): void {
    for (const shadow of this.#shadows) shadow.request(hash, weight);
  }

  remove(hash: number): void {
    for (const shadow of this.#shadows) shadow.remove(hash);
  }

  get #decisionRequests(): number {
    return Math.max(MIN_DECISION_REQUESTS, Math.round(this.#shadowEntries * DECISION_REQUESTS));
  }

  #decide(): void {
    this.#untilDecision = this.#decisionRequests;
    this.#checkRegret();
    const before = this.#chosen;
    this.#chosen = this.#isLruForced ? LRU : this.#best();
    this.#scored *= SCORE_DECAY;
    for (let i = 0; i < SHARES.length; i++) {
      this.#scores[i] = this.#scores[i]! * SCORE_DECAY;
      this.#differing[i] = this.#differing[i]! * SCORE_DECAY;
    }
    if (this.#chosen === before) return;
    const score = this.#scores[this.#chosen]!;
    for (let i = 0; i < SHARES.length; i++) this.#differing[i] = Math.abs(this.#scores[i]! - score);
  }

  #best(): number {
    let best = this.#chosen;
    for (let i = 0; i < SHARES.length; i++) {
      const lead = this.#scores[i]! - this.#scores[this.#chosen]!;
      if (
        lead > DEVIATIONS * Math.sqrt(this.#differing[i]!) &&
        lead > MIN_LEAD * this.#scored &&
        lead > CHANGE_COST * this.#shadowEntries &&
        this.#scores[i]! > this.#scores[best]!
      ) {
        best = i;
      }
    }
    return best;
  }

  #checkRegret(): void {
    this.#regret *= REGRET_DECAY;
    this.#regretRequests *= REGRET_DECAY;
    const tolerated = MAX_REGRET * this.#regretRequests;
    if (this.#regret > tolerated + CHANGE_COST * this.#shadowEntries) this.#isLruForced = true;
    else if (this.#regret < tolerated / 2) this.#isLruForced = false;
  }
}

/** As much of the bounds as the sample has of the cache: keys that happen to be hot or large distort nothing. */
function boundsOf(sample: readonly number[], cache: TinyLfu): Bounds {
  const { maxEntries, maxBytes } = cache.bounds;
  const share = Math.max(1, sample.length) / cache.size;
  const bytes = sample.reduce((sum, id) => sum + cache.weightOf(id), 0);
  return {
    maxEntries: Math.max(1, Math.round(maxEntries * share)),
    maxBytes: maxBytes * (bytes > 0 ? bytes / cache.bytes : share),
  };
}
