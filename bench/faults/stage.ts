/** One peer in a process of its own, facing one server that misbehaves: the place where a scenario is played. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contenders';
import type { Order, Report, Terms } from './protocol';
import { type Site, startSite } from './site';

const PEER_PROCESS = fileURLToPath(new URL('./peer-process.ts', import.meta.url));
/** A process that has not said a word by now will not. */
const STUCK_MS = 60_000;
/** How much of what a process printed is shown when it ends too soon, in characters. */
const MAX_PRINTED = 2_000;

export class Stage {
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];
  readonly #heard = new EventEmitter();
  #printed = '';

  private constructor(
    readonly contender: Contender,
    readonly site: Site,
  ) {
    const execArgv = ['--import', import.meta.resolve('tsx')];
    this.#child = fork(PEER_PROCESS, [contender.name], { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.on('data', (text) => {
      this.#printed = `${this.#printed}${text}`.slice(-MAX_PRINTED);
    });
    this.#child.on('message', (report: Report) => {
      this.#reports.push(report);
      this.#heard.emit(report.type);
    });
  }

  /** Starts the server and the process. The peer itself is not started yet. */
  static async open(contender: Contender): Promise<Stage> {
    const stage = new Stage(contender, await startSite(contender.protocol));
    await stage.hear('ready');
    return stage;
  }

  /** Starts the peer on these terms. */
  start(terms: Omit<Terms, 'port'>): void {
    this.#order({ type: 'start', terms: { ...terms, port: this.site.faults.port } });
  }

  /** Makes the peer's call to reconnect now. Resolves once it was made. */
  async reconnectNow(): Promise<void> {
    const called = this.hear('called');
    this.#order({ type: 'reconnectNow' });
    await called;
  }

  /** Waits until the process has reported `type`. */
  async hear(type: Report['type']): Promise<void> {
    if (this.count(type) > 0) return;
    const over = new AbortController();
    const { signal } = over;
    const { name } = this.contender;
    const heard = once(this.#heard, type, { signal });
    const ended = once(this.#child, 'close', { signal }).then(() => {
      throw new Error(`the process of ${name} ended before it reported "${type}":\n${this.#printed}`);
    });
    const stuck = sleep(STUCK_MS, undefined, { signal }).then(() => {
      throw new Error(`the process of ${name} has not reported "${type}" in ${STUCK_MS / 1_000} s`);
    });
    try {
      await Promise.race([heard, ended, stuck]);
    } finally {
      over.abort();
    }
  }

  /** How often the process has reported `type`. */
  count(type: Report['type']): number {
    return this.#reports.filter((report) => report.type === type).length;
  }

  /** What would have ended a Node process, by kind. */
  get uncaught(): readonly string[] {
    return this.#reports.flatMap((report) => (report.type === 'uncaught' ? [report.origin] : []));
  }

  /** When the server was dialled, in ms of `performance.now`. */
  get dials(): readonly number[] {
    return this.site.faults.dials.map(({ at }) => at);
  }

  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
    await this.site.close();
  }

  #order(order: Order): void {
    this.#child.send(order);
  }
}
