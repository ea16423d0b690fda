/** What the chart asks user code, answered when a step says so: attempts, probes, signs of health, and when a session ends. */
import type { CloseReason, ConnectArgs } from '../../../src/index';

export interface Question<T> {
  readonly promise: Promise<T>;
  readonly signal: AbortSignal;
  resolve(answer: T): void;
  reject(error: unknown): void;
  readonly isAnswered: boolean;
}

/** One call of `connect`. */
export interface Attempt extends Question<Session> {
  readonly args: ConnectArgs<string>;
}

export interface Session {
  readonly attempt: Attempt;
  /** Why it was closed, each time it was. */
  readonly closes: CloseReason[];
  /** Asked when it ends from the other side. */
  readonly end: Question<unknown>;
}

export function ask<T>(signal: AbortSignal): Question<T> {
  let settle!: Pick<Question<T>, 'resolve' | 'reject'>;
  let isAnswered = false;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return {
    promise,
    signal,
    resolve(answer) {
      isAnswered = true;
      settle.resolve(answer);
    },
    reject(error) {
      isAnswered = true;
      settle.reject(error);
    },
    get isAnswered() {
      return isAnswered;
    },
  };
}

type Asked = Pick<Question<unknown>, 'isAnswered' | 'signal'>;

/** Whether the answer is waited for. */
export function isOpen({ isAnswered, signal }: Asked): boolean {
  return !isAnswered && !signal.aborted;
}

/** Whether nobody waits any more for an answer that may still come. */
export function isAbandoned({ isAnswered, signal }: Asked): boolean {
  return !isAnswered && signal.aborted;
}
