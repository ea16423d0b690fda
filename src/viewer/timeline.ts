/** The states that an actor was in, and when. */

/** A time in one state. In ms of this page's `performance.now()`. */
export interface Stretch {
  /** The state in a few words; undefined while nobody knew. */
  readonly label: string | undefined;
  readonly from: number;
}

/** How many stretches are kept. */
const MOST = 1_000;

export class Timeline {
  #stretches: readonly Stretch[] = [];

  /** Oldest first, without a gap; the last one goes on. */
  get stretches(): readonly Stretch[] {
    return this.#stretches;
  }

  /** From `at` on the state is `label`. */
  enter(label: string | undefined, at: number): void {
    const last = this.#stretches.at(-1);
    if (last?.label === label && last !== undefined) return;
    const from = Math.max(at, last?.from ?? at);
    this.#stretches = [...this.#stretches.slice(1 - MOST), { label, from }];
  }

  /** From `at` on nobody knows. */
  leave(at: number): void {
    if (this.#stretches.length > 0) this.enter(undefined, at);
  }
}

/** The part of each state in the time from `from` to `to`, which there was some of; the largest first. */
export function shares(stretches: readonly Stretch[], from: number, to: number): { label: string; share: number }[] {
  const times = new Map<string, number>();
  let known = 0;
  for (const [index, { label, from: begin }] of stretches.entries()) {
    const time = Math.min(to, stretches[index + 1]?.from ?? to) - Math.max(from, begin);
    if (label === undefined || time <= 0) continue;
    known += time;
    times.set(label, (times.get(label) ?? 0) + time);
  }
  return [...times].map(([label, time]) => ({ label, share: time / known })).sort((a, b) => b.share - a.share);
}
