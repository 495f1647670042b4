/**
 * How much more often two memories answered together than chance would have it: normalised pointwise mutual information
 * (Bouma 2009), 1 for always together, 0 for independent, -1 for never. A count alone would favour what answers
 * everything.
 */
export function associationStrength(counts: {
  /** Answers that held both. */
  readonly together: number;
  /** Answers that held the one, and the other. */
  readonly one: number;
  readonly other: number;
  /** All answers of the workspace. */
  readonly answers: number;
}): number {
  const answers = Math.max(counts.answers, counts.one, counts.other, 1);
  // Totals and pairs are written one after the other, and may be a moment apart.
  const together = Math.min(counts.together, counts.one, counts.other) / answers;
  if (together <= 0) return -1;
  if (together === 1) return 1;
  const byChance = (counts.one / answers) * (counts.other / answers);
  return Math.max(-1, Math.min(1, Math.log(together / byChance) / -Math.log(together)));
}

/** ACT-R's S, so that a link of one among 200 carries nothing. */
const MAX_STRENGTH = Math.log(200);

/**
 * What a link from a source is worth, 0 to 1: S - ln(fan), so that a memory that is linked to everything says nothing
 * about any of it (the fan effect, Anderson 1974).
 */
export function linkWeight(strength: number, fan: number): number {
  const byFan = Math.max(0, MAX_STRENGTH - Math.log(Math.max(1, fan))) / MAX_STRENGTH;
  return Math.max(0, strength) * byFan;
}
