export {
  bitsOf,
  CODE_BITS,
  CODE_WORDS,
  distanceDeviation,
  expectedDistance,
  readBits,
  signCode,
} from './sign-code.js';
export { bytesOf, cosineToBytes, vectorOf } from './vector-bytes.js';
