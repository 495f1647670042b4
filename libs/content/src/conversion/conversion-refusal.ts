/**
 * The content itself cannot be converted, now or later. Thrown inside the conversion thread, where only its message
 * leaves: it is written for the caller.
 */
export class ConversionRefusal extends Error {
  override readonly name = 'ConversionRefusal';
}
