/** How much one upload may be. */
export interface UploadLimits {
  /** Largest file, bytes. */
  fileBytes: number;
  /** Most files of one form. */
  files: number;
}

export const UPLOAD_LIMITS = Symbol('@peregrine/api:upload-limits');
