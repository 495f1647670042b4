import { EMBEDDINGS, type Embeddings } from '@peregrine/ai';
import { type FactoryProvider } from '@nestjs/common';

interface EmbedOptions {
  /** Whose texts they are: nothing is shared between workspaces. */
  readonly workspaceId: string;
  readonly signal?: AbortSignal;
}

/** The embedder of every workload: the model that the settings name, paid once for a text of a workspace. Needs what `AiModule` exports. */
export const platformEmbedder = {
  inject: [EMBEDDINGS],
  useFactory: (embeddings: Embeddings) => ({
    id: embeddings.model,
    dimensions: embeddings.dimensions,
    embed: async (inputs: readonly string[], { workspaceId, signal }: EmbedOptions) =>
      (await embeddings.embed({ tenant: workspaceId, inputs, ...(signal && { signal }) })).vectors,
  }),
} satisfies Pick<FactoryProvider, 'inject' | 'useFactory'>;
