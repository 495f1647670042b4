// node --import: a wall clock that can be set, as an administrator or NTP does. The monotonic clock is left alone.
const RealDate = globalThis.Date;
let offsetMs = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...args);
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
};
globalThis.setWallClock = (byMs) => (offsetMs += byMs);
