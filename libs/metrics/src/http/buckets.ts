/** Upper bounds of the latency buckets, seconds. 0.2 and 0.5 are there for the alert and the slow-request log. */
export const LATENCY_BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10,
];

/** Upper bounds of the size buckets, bytes: from an empty body to what is streamed. */
export const SIZE_BUCKETS_BYTES: readonly number[] = [
  0, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216,
];
