/** What user code can do in place of what it should. */

/**
 * For each piece of user code, its misdeeds: it throws, it sends an event from inside, it answers at once, or with what is no
 * answer; and the answers of those that are asked for one.
 */
const MISDEEDS = {
  connect: ['throw', 'answer', 'stop', 'restart'],
  closed: ['throw', 'nothing', 'answer', 'stop'],
  close: ['throw', 'reject', 'start', 'stop'],
  classify: ['throw', 'nothing', 'give-up', 'retry-now', 'later', 'stop'],
  listener: ['throw', 'start', 'stop', 'retry', 'restart', 'other'],
  subscriber: ['throw', 'start', 'stop', 'retry'],
  probe: ['throw', 'answer', 'stop'],
  healthy: ['throw', 'answer', 'stop'],
  source: ['throw', 'stop'],
  unwatch: ['throw'],
  random: ['throw', 'low', 'high'],
  now: ['throw'],
} as const;

/** A piece of user code. */
export type Place = keyof typeof MISDEEDS;

export const places = Object.keys(MISDEEDS) as readonly Place[];

/** One misdeed, the next time that its place is called. */
export interface Misdeed {
  place: Place;
  deed: string;
}

/** Those of one place, as they are written: `close=throw`. */
export function misdeedsAt(place: Place): string[] {
  return MISDEEDS[place].map((deed) => `${place}=${deed}`);
}

/** Reads {@link misdeedsAt}. */
export function parseMisdeed(text: string): Misdeed {
  const [place, deed] = text.split('=');
  const known = places.find((one) => one === place);
  if (known === undefined || deed === undefined)
    throw new Error(`expected a misdeed, such as close=throw; got ${text}`);
  return { place: known, deed };
}
