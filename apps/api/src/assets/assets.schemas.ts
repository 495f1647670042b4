import { z } from 'zod';

export const assetManifestSchema = z.object({
  releaseId: z
    .string()
    .nullable()
    .describe('Null when no release was built: files are served under their own names'),
  files: z.record(
    z.string(),
    z.object({
      url: z.string().describe('Changes with the content'),
      integrity: z.string().optional().describe('For subresource integrity'),
      sizeBytes: z.number().optional(),
    }),
  ),
  liveReleases: z
    .array(z.object({ id: z.string(), publishedAt: z.iso.datetime() }))
    .describe('Files of these answer, the newest first'),
});
export type AssetManifest = z.output<typeof assetManifestSchema>;
