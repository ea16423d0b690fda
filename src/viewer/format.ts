/** Numbers as people read them. */

/** `850 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(minutes, 'min', seconds % 60, 's');
  return join(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** The time of day of `time`, in ms since the epoch. */
export function formatTime(time: number): string {
  return new Date(time).toLocaleTimeString(undefined, { hour12: false });
}

/** The states of our own chart have colours of their own, and what XState says of an actor without a machine has those too. */
const OWN: Readonly<Record<string, string>> = {
  idle: 'idle',
  connecting: 'connecting',
  connected: 'connected',
  backingOff: 'backingOff',
  failed: 'failed',
  active: 'connecting',
  done: 'connected',
  error: 'failed',
  stopped: 'idle',
};
/** How many more colours there are. */
const OTHERS = 6;

/** The class that gives a state its colour: always the same for the same name. */
export function toneOf(label: string | undefined): string {
  if (label === undefined) return 'tone-unknown';
  const own = Object.hasOwn(OWN, label) ? OWN[label] : undefined;
  if (own !== undefined) return `tone-${own}`;
  let hash = 0;
  for (const character of label) hash = (hash * 31 + character.charCodeAt(0)) % 65_521;
  return `tone-${hash % OTHERS}`;
}
