/** The machine of an option set, whose user code is that of whatever world it is in. */
import {
  type CloseReason,
  type ConnectArgs,
  createReconnectMachine,
  type EnvironmentSource,
  type FailureFacts,
  type ReconnectMachine,
  type Verdict,
} from '../../../src/index';
import type { OptionSet } from './option-sets';
import type { Session } from './questions';

export interface UserCode {
  connect(args: ConnectArgs<string>): Promise<Session>;
  closed(session: Session): Promise<unknown>;
  close(session: Session, reason: CloseReason): Promise<void> | undefined;
  classify(failure: FailureFacts): Verdict;
  probe(signal: AbortSignal): Promise<unknown>;
  healthy(signal: AbortSignal): Promise<unknown>;
  environment: EnvironmentSource;
  now(): number;
  wallClock(): number;
  random(): number;
}

export type Machine = ReconnectMachine<Session, string>;

interface Stage {
  readonly machine: Machine;
  userCode: UserCode;
}

const stages = new Map<OptionSet, Stage>();

/** The machine made with `set`, with `userCode` from now on. Making a machine anew would take longer than most walks through it. */
export function machineOf(set: OptionSet, userCode: UserCode): Machine {
  const known = stages.get(set);
  if (known !== undefined) {
    known.userCode = userCode;
    return known.machine;
  }
  const { backoff, autoStart = false, classify, healthy, liveness, maxSessionAge = 0, environment } = set;
  const machine = createReconnectMachine<Session, string>({
    backoff,
    autoStart,
    maxSessionAge,
    connect: (args) => stage.userCode.connect(args),
    closed: (session) => stage.userCode.closed(session),
    close: (session, reason) => stage.userCode.close(session, reason),
    ...(classify && { classify: (failure: FailureFacts) => stage.userCode.classify(failure) }),
    ...(healthy === 'event' && { healthy }),
    ...(healthy === 'promise' && { healthy: (_: Session, signal: AbortSignal) => stage.userCode.healthy(signal) }),
    ...(liveness && {
      liveness: { ...liveness, probe: (_: Session, signal: AbortSignal) => stage.userCode.probe(signal) },
    }),
    ...(environment && { environment: ((send) => stage.userCode.environment(send)) satisfies EnvironmentSource }),
    now: () => stage.userCode.now(),
    wallClock: () => stage.userCode.wallClock(),
    random: () => stage.userCode.random(),
    onError: () => {
      throw new Error('onError threw');
    },
  });
  const stage: Stage = { machine, userCode };
  stages.set(set, stage);
  return machine;
}
