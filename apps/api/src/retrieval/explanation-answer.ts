import { RETRIEVAL_FEATURES, type RetrievalExplanation } from '@peregrine/retrieval';

/** An explanation as it is shown: features by name. */
export function describeExplanation({ chooser, ...explanation }: RetrievalExplanation) {
  if (!chooser) return { ...explanation, chooser };
  const features = Object.fromEntries(
    RETRIEVAL_FEATURES.map((name, at) => [name, chooser.features[at] ?? null]),
  );
  return { ...explanation, chooser: { ...chooser, features } };
}
