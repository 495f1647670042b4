import { type ChoiceReason } from '../planning/plan-chooser.service.js';
import { type Searched } from './plan-runner.service.js';
import { type RetrievalExplanation } from './retrieval-answer.js';

const WORDS: Readonly<Record<ChoiceReason, string>> = {
  asked: 'it was asked for',
  disabled: 'the chooser is off',
  unknown: 'no sample of the chunks has been drawn yet, or a transaction is open',
  untrained: 'too little is known of how long the plans take',
  fallback: 'no other plan is predicted to be clearly faster',
  gain: 'it is predicted to be clearly faster',
  exploration: 'it is tried, to learn how long it takes',
  'out-of-domain': 'nothing is known of queries like this one',
  'thread-lost': 'a thread was lost (RETRIEVAL_CODE_THREAD_LOST)',
  repeated: 'the workspace was written to meanwhile, so that it was answered again from one snapshot',
  'timed-out': 'another plan took much longer than was predicted',
};

/** Why a plan was followed, in words and as the planner has it. */
export function whyOf({
  choice,
  question,
}: Searched): Pick<RetrievalExplanation, 'reason' | 'why' | 'chooser'> {
  const why = { reason: choice.reason, why: WORDS[choice.reason] };
  if (!question) return { ...why, chooser: null };
  const { features, ...asked } = question;
  return {
    ...why,
    chooser: {
      ...asked,
      features: Array.from(features),
      decision: choice.decision ? shown(choice.decision) : null,
    },
  };
}

function shown({
  plan,
  predictedMs,
  reason,
  cached,
  propensity,
  modelVersion,
  timeoutMs,
}: NonNullable<Searched['choice']['decision']>) {
  return { plan, predictedMs, reason, cached, propensity, modelVersion, timeoutMs };
}
