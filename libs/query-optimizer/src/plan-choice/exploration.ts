import { predict } from './boosted-trees.js';
import { bestPlan, type GainGuard, isAllowed, type LatencyModel, meanMs } from './latency-model.js';
import { HEADS } from './model-fit.js';
import { type NumberedQuestion } from './plan-question.js';

/** Shared evenly by the allowed plans: whatever the heads think, each is tried now and then, so that it can be judged. */
const EVEN_SHARE = 0.05;
/** Shared by the plans of which nothing is known. */
const UNKNOWN_SHARE = 0.2;

/**
 * How likely each allowed plan is to be tried instead of `chosen`. Bootstrap Thompson sampling: one of the heads is drawn, and the
 * plan that it would choose. @param predictedMs of the model itself, NaN where it knows nothing
 */
export function explorationShares(
  model: LatencyModel,
  { row, allowed }: NumberedQuestion,
  chosen: number,
  predictedMs: Float64Array,
  guard: GainGuard,
): Float64Array {
  const shares = new Float64Array(predictedMs.length);
  const plans = [...shares.keys()].filter((plan) => isAllowed(allowed, plan));
  const unknown = plans.filter((plan) => !model[plan]);
  for (const plan of plans) shares[plan] = EVEN_SHARE / plans.length;
  for (const plan of unknown) shares[plan] = (shares[plan] ?? 0) + UNKNOWN_SHARE / unknown.length;
  const rest = 1 - EVEN_SHARE - (unknown.length > 0 ? UNKNOWN_SHARE : 0);
  for (let head = 0; head < HEADS; head++) {
    const pick = bestPlan(predictHead(model, row, predictedMs, head), chosen, guard);
    shares[pick] = (shares[pick] ?? 0) + rest / HEADS;
  }
  shares[chosen] = 0;
  return shares;
}

/** Plans without heads are as their model says. */
function predictHead(
  model: LatencyModel,
  row: Float64Array,
  predictedMs: Float64Array,
  head: number,
): Float64Array {
  return predictedMs.map((ms, plan) => {
    const latency = model[plan];
    const trees = latency?.heads[head];
    return Number.isNaN(ms) || !trees ? ms : meanMs(predict(trees, row), latency);
  });
}
