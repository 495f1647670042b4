import { ContentError } from '../content.errors.js';

/** There is no conversion from the format of this file to what was asked for. */
export class ConversionUnsupportedError extends ContentError {
  readonly code = 'CONTENT_CONVERSION_UNSUPPORTED';
}

/** The content cannot be converted; trying again does not help. The message says why. */
export class ConversionRefusedError extends ContentError {
  readonly code = 'CONTENT_CONVERSION_REFUSED';
}

/** The content is larger than what is converted at all. */
export class ConversionTooLargeError extends ContentError {
  readonly code = 'CONTENT_CONVERSION_TOO_LARGE';
  constructor(readonly limitBytes: number) {
    super(`Files of more than ${limitBytes.toLocaleString('en')} bytes are not converted`);
  }
}

/** More conversions wait than there is room for. Nothing was begun; try again in a moment. */
export class ConversionBusyError extends ContentError {
  readonly code = 'CONTENT_CONVERSION_BUSY';
  constructor() {
    super('Too many conversions wait already');
  }
}
