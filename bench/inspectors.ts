/** The inspectors that the bench compares, each with whoever looks on in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { createInspector as createStatelyInspector, createWebSocketInspector } from '@statelyai/inspect';
import type { ActorOptions, AnyStateMachine } from 'xstate';
import { createInspector } from '../src/inspect';
import { inspectOverWebSocket } from '../src/inspect/node';

type Inspect = ActorOptions<AnyStateMachine>['inspect'] & {};

/** An inspector that runs. */
export interface Running {
  inspect?: Inspect;
  /** Resolves once all there is to say about `events` events was said, and received if anybody receives it. */
  settled(events: number): Promise<void>;
  stop(): Promise<void> | void;
}

export interface Contender {
  name: string;
  setup: string;
  start(): Promise<Running>;
}

/** Counts what it is told, until it was called `count` times. */
function counter(): { count(): void; reached(count: number): Promise<void> } {
  let counted = 0;
  let awaited = { count: Number.POSITIVE_INFINITY, resolve: (): void => {} };
  return {
    count() {
      counted += 1;
      if (counted === awaited.count) awaited.resolve();
    },
    reached: (count) =>
      new Promise((resolve) => {
        awaited = { count, resolve };
        if (counted >= count) resolve();
      }),
  };
}

/** The process that looks on; `url` is where to connect to, or else it listens and says where. */
async function startOnlooker(url?: string) {
  const onlooker = fork(new URL('./onlooker.ts', import.meta.url), url === undefined ? [] : [url]);
  const [ready] = (await once(onlooker, 'message')) as [string];
  return {
    url: ready,
    async reached(count: number): Promise<void> {
      const reached = once(onlooker, 'message');
      onlooker.send(count);
      await reached;
    },
    async stop(): Promise<void> {
      const exited = once(onlooker, 'exit');
      onlooker.kill();
      await exited;
    },
  };
}

const settledAtOnce = async (): Promise<void> => {};

export const contenders: readonly Contender[] = [
  {
    name: 'no inspector',
    setup: '',
    start: async () => ({ settled: settledAtOnce, stop() {} }),
  },
  {
    name: 'one that does nothing',
    setup: 'inspect: () => {}: what XState itself spends on being inspected',
    start: async () => ({ inspect: () => {}, settled: settledAtOnce, stop() {} }),
  },
  {
    name: 'xstate-reconnect/inspect, no viewer',
    setup: 'createInspector()',
    async start() {
      const { inspect, stop } = createInspector();
      return { inspect, settled: settledAtOnce, stop };
    },
  },
  {
    name: 'xstate-reconnect/inspect, to text',
    setup: 'createInspector(), a viewer in the same process for whom each message is made JSON',
    async start() {
      const inspector = createInspector();
      inspector.connect((message) => JSON.stringify(message)).receive({ type: 'xstate.inspecting' });
      return { inspect: inspector.inspect, settled: settledAtOnce, stop: inspector.stop };
    },
  },
  {
    name: '@statelyai/inspect, to text',
    setup: 'createInspector(adapter), an adapter that makes JSON of each event',
    async start() {
      const { count, reached } = counter();
      const { inspect } = createStatelyInspector({
        send(event) {
          JSON.stringify(event);
          if (event.type === '@xstate.snapshot' && event.event.type === 'tick') count();
        },
      });
      return { inspect: inspect as Inspect, settled: reached, stop() {} };
    },
  },
  {
    name: 'xstate-reconnect/inspect, over a WebSocket',
    setup: 'inspectOverWebSocket(), a viewer in another process',
    async start() {
      const { inspect, url, stop } = await inspectOverWebSocket();
      const onlooker = await startOnlooker(url);
      return {
        inspect,
        settled: onlooker.reached,
        stop: async () => {
          await stop();
          await onlooker.stop();
        },
      };
    },
  },
  {
    name: '@statelyai/inspect, over a WebSocket',
    setup: 'createWebSocketInspector(), a server in another process',
    async start() {
      const onlooker = await startOnlooker();
      const inspector = createWebSocketInspector({ url: onlooker.url });
      // Before that it keeps the last 200 events alone.
      while ((inspector.adapter as unknown as { status: string }).status !== 'open') await setImmediate();
      return {
        inspect: inspector.inspect as Inspect,
        settled: onlooker.reached,
        stop: async () => {
          inspector.stop();
          await onlooker.stop();
        },
      };
    },
  },
];
