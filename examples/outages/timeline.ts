/** The demo's output: one line an event, with the seconds since the start and the state. */

const COLOURS: Readonly<Record<string, number>> = {
  connecting: 36,
  connected: 32,
  backingOff: 33,
  idle: 90,
  OUTAGE: 31,
};

export interface Timeline {
  /** Writes one line. `tag` is the chart's state, or whose line it is. */
  line(tag: string, text: string): void;
}

/** Starts a timeline at 0 s. Coloured on a terminal, unless NO_COLOR is set. */
export function createTimeline(): Timeline {
  const start = performance.now();
  // https://no-color.org: set to anything but the empty text.
  const coloured = process.stdout.isTTY === true && !process.env['NO_COLOR'];
  return {
    line(tag, text) {
      const elapsed = `${((performance.now() - start) / 1_000).toFixed(1)}s`.padStart(7);
      const colour = coloured ? COLOURS[tag] : undefined;
      const label = tag.padEnd(10);
      console.log(`${elapsed}  ${colour === undefined ? label : `\u001b[${colour}m${label}\u001b[0m`} ${text}`);
    },
  };
}
