/** A world at its worst, around one real actor: nothing is answered by itself, and user code misbehaves when told to. */
import { type Actor, createActor, type SnapshotFrom, type Subscription } from 'xstate';
import {
  type AttemptReason,
  AttemptTimeoutError,
  type BackoffPolicy,
  type CloseReason,
  type ConnectArgs,
  type EnvironmentEvent,
  type FailureFacts,
  type ReconnectEmitted,
  type ReconnectEvent,
  type ReconnectState,
  type Verdict,
} from '../../../src/index';
import { createVirtualClock } from '../../../src/testing/index';
import { type Machine, machineOf, type UserCode } from './machine';
import type { Misdeed, Place } from './misdeeds';
import type { OptionSet } from './option-sets';
import { type Attempt, ask, isOpen, type Question, type Session } from './questions';

/** One subscription to the environment. */
interface Watcher {
  readonly send: (event: EnvironmentEvent) => void;
  isActive: boolean;
}

/** What a person can do. */
export type Wish = 'start' | 'stop' | 'retry' | 'restart' | 'same' | 'other' | 'healthy';

/** How long `retryAfter` asks to wait. */
const LATER_MS = 7_000;

/** A time since the epoch. */
const WALL_MS = 1_700_000_000_000;

export interface Elsewhere {
  /** What was saved, once it went through JSON. */
  readonly snapshot: unknown;
  /** How much later than in the other world it is, in ms, when the clock of this one shows 0. */
  readonly later: number;
}

export class World implements UserCode {
  readonly clock = createVirtualClock();
  readonly attempts: Attempt[] = [];
  readonly sessions: Session[] = [];
  readonly probes: Question<unknown>[] = [];
  readonly signs: Question<unknown>[] = [];
  readonly watchers: Watcher[] = [];
  readonly emitted: ReconnectEmitted[] = [];
  readonly actor: Actor<Machine>;

  /** The user code that was called in the step under way. */
  readonly called = new Set<Place>();
  /** The promises that were seen to be broken: a throw in user code would not be seen. */
  readonly broken: string[] = [];

  /** What the environment is like, whether anybody watches or not. */
  network = true;
  frozen = false;
  /** Whether the environment could not be watched the last time that it was tried. */
  isDeaf = false;

  /** The latest moment, in ms, at which the retry window can have begun; and how many attempts were begun in it. */
  windowFrom = 0;
  attemptsInWindow = 0;
  /** Whether `now` always told the time as it is. */
  isTimeTrue = true;

  readonly #later: number;
  readonly #subscriptions: Subscription[] = [];
  #misdeed: Misdeed | undefined;
  #input = 0;
  #lastReason: AttemptReason | undefined;
  /** The earliest moment of the next attempt, as `classify` said. */
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(
    readonly set: OptionSet,
    elsewhere?: Elsewhere,
  ) {
    this.#later = elsewhere?.later ?? 0;
    this.actor = createActor(machineOf(set, this), {
      clock: this.clock,
      input: 'a',
      // Whatever was saved is checked by the machine.
      ...(elsewhere && { snapshot: elsewhere.snapshot as SnapshotFrom<Machine> }),
    });
  }

  /** Starts the actor, or starts it again. */
  start(): void {
    this.#lastReason = undefined;
    // Older versions of XState keep the listeners of an actor that was stopped.
    for (const { unsubscribe } of this.#subscriptions.splice(0)) unsubscribe();
    this.#subscriptions.push(
      this.actor.on('*', (event) => this.#hear(event)),
      this.actor.subscribe(() => void this.#enter('subscriber')),
    );
    this.actor.start();
  }

  get value(): ReconnectState {
    return this.actor.getSnapshot().value;
  }

  get context(): SnapshotFrom<Machine>['context'] {
    return this.actor.getSnapshot().context;
  }

  get policy(): BackoffPolicy {
    return this.context.policy;
  }

  /** The sessions that nobody has closed. */
  get live(): Session[] {
    return this.sessions.filter(({ closes }) => closes.length === 0);
  }

  /** The attempt under way, of which there is at most one. */
  get attempt(): Attempt | undefined {
    return this.attempts.find(isOpen);
  }

  /** Whether what the environment tells is heard. */
  get isWatched(): boolean {
    return this.set.environment !== true || this.watchers.some(({ isActive }) => isActive);
  }

  /** Begins a step, in which user code may misbehave, once. */
  beginStep(misdeed?: Misdeed): void {
    this.called.clear();
    this.#misdeed = misdeed;
  }

  /** A person does something. */
  send(wish: Wish): void {
    this.actor.send(this.#eventOf(wish));
  }

  #eventOf(wish: Wish): ReconnectEvent<string> {
    if (wish === 'restart') return { type: 'retry', restart: true };
    if (wish !== 'same' && wish !== 'other') return { type: wish };
    if (wish === 'other') this.#input += 1;
    return { type: 'update', input: this.#input % 2 === 0 ? 'a' : 'b' };
  }

  /** The environment changes, and tells whoever watches. */
  tell(type: EnvironmentEvent['type']): void {
    if (type === 'online' || type === 'offline') this.network = type === 'online';
    if (type === 'suspend' || type === 'resume') this.frozen = type === 'suspend';
    if (this.set.environment !== true) this.actor.send({ type });
    for (const watcher of this.watchers) if (watcher.isActive) watcher.send({ type });
  }

  /** An attempt brings a session. */
  connectWith(attempt: Attempt): void {
    const end = ask<unknown>(attempt.signal);
    // Nobody has to watch a session.
    end.promise.catch(() => {});
    const session: Session = { attempt, closes: [], end };
    this.sessions.push(session);
    attempt.resolve(session);
  }

  /** The retry window begins, and its attempts are counted anew. */
  beginWindow(): void {
    this.windowFrom = this.clock.now();
    this.attemptsInWindow = 0;
  }

  #demand(holds: boolean, promise: string): void {
    if (!holds) this.broken.push(promise);
  }

  /** Every piece of user code passes here first. Returns what it does in place of what it should, unless that is done here. */
  #enter(place: Place): string | undefined {
    this.called.add(place);
    if (this.#misdeed?.place !== place) return undefined;
    const { deed } = this.#misdeed;
    this.#misdeed = undefined;
    if (place === 'now') this.isTimeTrue = false;
    if (deed === 'throw') throw new Error(`${place} threw`);
    if (isWish(deed)) this.send(deed);
    return deed;
  }

  #ask(place: Place, questions: Question<unknown>[], signal: AbortSignal): Promise<unknown> {
    if (this.#enter(place) === 'answer') return Promise.resolve();
    const question = ask<unknown>(signal);
    questions.push(question);
    return question.promise;
  }

  connect(args: ConnectArgs<string>): Promise<Session> {
    const { reason, signal } = args;
    const taken = this.live.filter(({ attempt }) => !attempt.signal.aborted).length;
    this.#demand(
      taken === (reason === 'rotation' ? 1 : 0),
      `O1 ${taken} live sessions when an attempt is made (${reason})`,
    );
    this.#demand(!signal.aborted, `C1 an attempt that is not wanted any more is not begun (${reason})`);
    if (reason !== 'rotation') this.#checkReason(reason);
    const attempt: Attempt = Object.assign(ask<Session>(signal), { args });
    this.attempts.push(attempt);
    try {
      if (this.#enter('connect') === 'answer') this.connectWith(attempt);
    } catch (error) {
      attempt.promise.catch(() => {});
      attempt.reject(error);
      throw error;
    }
    return attempt.promise;
  }

  #checkReason(reason: AttemptReason): void {
    this.#demand(isPersonal(reason) || this.clock.now() >= this.#notBefore, `retryAfter is a floor (${reason})`);
    this.#demand(reason !== 'refresh' || this.#lastReason !== 'refresh', 'retry-now works once in a row');
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#lastReason = reason;
  }

  closed(session: Session): Promise<unknown> {
    const deed = this.#enter('closed');
    if (deed === 'nothing') return undefined as unknown as Promise<unknown>;
    if (deed === 'answer') session.end.resolve('bye');
    return session.end.promise;
  }

  close(session: Session, reason: CloseReason): Promise<void> | undefined {
    session.closes.push(reason);
    // A half-open session lived only until its last sign of life, which is not known here.
    const wasTaken = reason !== 'late' && reason !== 'unusable' && reason !== 'half-open';
    if (wasTaken && this.#wasStable()) this.beginWindow();
    return this.#enter('close') === 'reject' ? Promise.reject(new Error('close rejected')) : undefined;
  }

  #wasStable(): boolean {
    const { healthy, connectedAt = this.clock.now() } = this.context;
    const isHealthy = this.set.healthy === undefined || healthy;
    return isHealthy && this.clock.now() - connectedAt >= this.policy.minUptime;
  }

  classify({ error }: FailureFacts): Verdict {
    const deed = this.#enter('classify');
    if (deed === 'nothing') return undefined as unknown as Verdict;
    if (deed === 'give-up' || deed === 'retry-now') return deed;
    if (deed !== 'later') return 'retry';
    // An attempt that timed out while everything slept says nothing of the server.
    const mayHaveSlept = error instanceof AttemptTimeoutError && this.set.environment === true;
    if (!mayHaveSlept) this.#notBefore = this.clock.now() + LATER_MS;
    return { retryAfter: LATER_MS };
  }

  probe(signal: AbortSignal): Promise<unknown> {
    return this.#ask('probe', this.probes, signal);
  }

  healthy(signal: AbortSignal): Promise<unknown> {
    return this.#ask('healthy', this.signs, signal);
  }

  environment(send: Watcher['send']): () => void {
    this.isDeaf = true;
    this.#enter('source');
    this.isDeaf = false;
    const watcher: Watcher = { send, isActive: true };
    this.watchers.push(watcher);
    // As the sources of this package do: what is not the default is told at once, and nothing else.
    if (!this.network) send({ type: 'offline' });
    if (this.frozen) send({ type: 'suspend' });
    return () => {
      this.#demand(watcher.isActive, 'O5 the environment is left once');
      watcher.isActive = false;
      this.#enter('unwatch');
    };
  }

  now(): number {
    this.#enter('now');
    return this.clock.now();
  }

  wallClock(): number {
    return WALL_MS + this.#later + this.clock.now();
  }

  random(): number {
    const deed = this.#enter('random');
    return deed === 'low' ? 0 : deed === 'high' ? 0.999 : 0.5;
  }

  #hear(event: ReconnectEmitted): void {
    this.emitted.push(event);
    if (event.type === 'connecting') {
      this.attemptsInWindow += 1;
      const mayBegin = isPersonal(event.reason) || !this.context.suspended;
      this.#demand(mayBegin, `I no attempt is begun while suspended (${event.reason})`);
    }
    this.#enter('listener');
  }
}

function isWish(deed: string): deed is Wish {
  return ['start', 'stop', 'retry', 'restart', 'other'].includes(deed);
}

/** Whether a person asked for the attempt. */
function isPersonal(reason: AttemptReason): boolean {
  return reason === 'start' || reason === 'retry' || reason === 'update';
}
