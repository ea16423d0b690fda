/** The faults that reconnect libraries fall over: what is done to each peer, and by what it is judged, the same for everybody. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Contender, contenders, graphqlWsParams } from './contenders';
import type { Stage } from './stage';

/** `uncaught`: held, but only because the bench catches what ends a Node process. */
export type Verdict = 'held' | 'fell' | 'uncaught' | 'no such call' | 'no such setting';

export interface Outcome {
  /** What was seen, in words. */
  seen: string;
  verdict: Verdict;
}

export interface Scenario {
  id: string;
  title: string;
  /** What a peer must do to have held. */
  criterion: string;
  contenders: readonly Contender[];
  /** Plays it with one peer. */
  play(stage: Stage): Promise<Outcome>;
}

const DAY_MS = 86_400_000;

const judge = (held: boolean): Verdict => (held ? 'held' : 'fell');

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** When the dials from number `from` on were made, in ms after `start`. */
const dialsAfter = ({ dials }: Stage, from: number, start: number): number[] =>
  dials.slice(from).map((at) => at - start);

/** The waits between dials, such as `waits from 100 to 1601 ms`. */
function describeWaits(dials: readonly number[]): string {
  const waits = dials.slice(1).map((at, i) => Math.round(at - (dials[i] ?? at)));
  if (waits.length === 0) return 'no wait';
  return `waits from ${Math.min(...waits)} to ${Math.max(...waits)} ms`;
}

/** Such as `, 2 uncaught exceptions`; nothing when there was none. */
function describeUncaught({ uncaught }: Stage): string {
  const exceptions = uncaught.filter((origin) => origin === 'uncaughtException').length;
  const rejections = uncaught.length - exceptions;
  const parts = [
    exceptions > 0 ? plural(exceptions, 'uncaught exception') : '',
    rejections > 0 ? plural(rejections, 'unhandled rejection') : '',
  ];
  return parts
    .filter(Boolean)
    .map((part) => `, ${part}`)
    .join('');
}

const A1_RETRIES = 5;
const A1_MS = 6_000;

const acceptsThenCloses: Scenario = {
  id: 'A1',
  title: 'the server accepts every session and ends it at once',
  criterion: `tries again, and gives up after ${A1_RETRIES} retries (or a window of 4 s): 2 to ${A1_RETRIES + 1} dials in ${A1_MS / 1_000} s`,
  contenders,
  async play(stage) {
    stage.site.endSessionsAtOnce();
    stage.start({ initial: 100, max: 1_600, giveUp: { retries: A1_RETRIES, window: 4_000 } });
    await stage.site.faults.nextDial();
    await sleep(A1_MS);
    const { dials } = stage;
    const quiet = performance.now() - (dials.at(-1) ?? 0);
    const end = quiet > 2_000 ? `, then none for ${seconds(quiet)}` : '';
    return {
      seen: `${plural(dials.length, 'dial')} in ${A1_MS / 1_000} s, ${describeWaits(dials)}${end}${describeUncaught(stage)}`,
      verdict: judge(dials.length >= 2 && dials.length <= A1_RETRIES + 1),
    };
  },
};

const C3_WAIT_MS = 2_000;

const reconnectNow: Scenario = {
  id: 'C3',
  title: `reconnect now, while it waits ${C3_WAIT_MS / 1_000} s; the server is well again`,
  criterion: `exactly one dial from the call until 1.5 s after the wait would have ended, in the first half of the wait`,
  contenders,
  async play(stage) {
    if (stage.contender.reconnectNow === undefined) return { seen: 'nothing to call', verdict: 'no such call' };
    stage.site.faults.treatNext({ kind: 'reset' });
    stage.start({ initial: C3_WAIT_MS, max: C3_WAIT_MS });
    await stage.hear('closed');
    const before = stage.dials.length;
    const start = performance.now();
    await stage.reconnectNow();
    await sleep(C3_WAIT_MS + 1_500);
    const dials = dialsAfter(stage, before, start);
    const seen = dials.length === 0 ? 'no dial' : dials.map((at) => `a dial after ${seconds(at)}`).join(', ');
    return {
      seen: `\`${stage.contender.reconnectNow}\`: ${seen}${describeUncaught(stage)}`,
      verdict: judge(dials.length === 1 && (dials[0] ?? 0) < C3_WAIT_MS / 2),
    };
  },
};

const C4_MS = 1_000;

const longDelay: Scenario = {
  id: 'C4',
  title: 'a delay of 30 days, more than a timer takes; the server resets every connection',
  criterion: `waits: exactly one dial, the first, in ${C4_MS / 1_000} s`,
  contenders,
  async play(stage) {
    if (!stage.contender.hasDelay) return { seen: "waiting is the user's own function", verdict: 'no such setting' };
    stage.site.faults.treat({ kind: 'reset' });
    stage.start({ initial: 30 * DAY_MS, max: 30 * DAY_MS });
    await stage.hear('closed');
    await sleep(C4_MS);
    const { dials } = stage;
    return {
      seen: `${plural(dials.length, 'dial')} in ${C4_MS / 1_000} s${describeUncaught(stage)}`,
      verdict: judge(dials.length === 1),
    };
  },
};

const E_MS = 4_000;

const hungProvider: Scenario = {
  id: 'E',
  title: 'the provider of the URL, or of the token, never answers the first time it is asked',
  criterion: `asks again, and has a session within ${E_MS / 1_000} s; an attempt may take 300 ms, and so may a client that says nothing`,
  contenders: [...contenders, graphqlWsParams],
  async play(stage) {
    stage.start({ initial: 100, max: 400, attemptTimeout: 300, hangs: true });
    await stage.hear('asked');
    await sleep(E_MS);
    const asked = stage.count('asked');
    const { sessions } = stage.site;
    return {
      seen: `${stage.contender.provider}: asked ${plural(asked, 'time')}, ${plural(sessions, 'session')}${describeUncaught(stage)}`,
      verdict: judge(asked >= 2 && sessions >= 1),
    };
  },
};

const G1_MS = 4_000;

const throwingListeners: Scenario = {
  id: 'G1',
  title: 'the listeners for begin and end of a session throw; the line is cut, and the next dial is reset',
  criterion: `has a second session within ${G1_MS / 1_000} s, one connection in the end, and nothing uncaught; *uncaught* where only the bench's own handler kept the process alive`,
  contenders,
  async play(stage) {
    const { faults } = stage.site;
    stage.start({ initial: 100, max: 400, throws: true });
    await Promise.race([stage.hear('opened'), sleep(G1_MS)]);
    faults.treatNext({ kind: 'reset' });
    faults.hangUp();
    await sleep(G1_MS);
    const { sessions } = stage.site;
    const connections = faults.open.length;
    const dials = stage.dials.length;
    const isBack = sessions >= 2 && connections === 1;
    return {
      seen: `${plural(sessions, 'session')}, ${plural(dials, 'dial')}, ${plural(connections, 'connection')} in the end${describeUncaught(stage)}`,
      verdict: isBack && stage.uncaught.length > 0 ? 'uncaught' : judge(isBack),
    };
  },
};

export const scenarios: readonly Scenario[] = [
  acceptsThenCloses,
  reconnectNow,
  longDelay,
  hungProvider,
  throwingListeners,
];
