/** Keeps one endpoint connected, and bridges standard input and output to it. */

import { describeError } from '../../machines/failure';
import { MAX_TIMER_MS } from '../../machines/sleep';
import type { BackoffConfig } from '../config';
import { type ReconnectHandleOptions, reconnect } from '../handle';
import type { BridgedSession, Endpoint, SessionEnd } from './endpoint';
import { readInput } from './input';
import { Outbox } from './outbox';
import type { Report } from './report';

export interface ConnectOptions {
  backoff: BackoffConfig;
  /** How long, in ms, the other end may be quiet after the end of the input. */
  wait: number;
  report: Report;
  /** Shows the connection to viewers. */
  inspect: ReconnectHandleOptions<BridgedSession>['inspect'];
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs until it is interrupted, the input has ended and was delivered, or it gave up.
 *
 * @returns the exit code: 0, or 1 when it gave up or something broke.
 */
export function connect(endpoint: Endpoint, { backoff, wait, report, inspect }: ConnectOptions): Promise<0 | 1> {
  const { stdin, stdout } = process;
  let exitCode: 0 | 1 | undefined;
  let wasConnected = false;
  let finishing = false;
  let quiet: NodeJS.Timeout | undefined;

  return new Promise((exit) => {
    const connection = reconnect({
      connect: (args) => endpoint.connect(args),
      backoff,
      autoStart: false,
      ...(inspect && { inspect }),
    });
    const { actor } = connection;
    const live = (): BridgedSession | undefined => connection.session;

    const outbox = new Outbox(
      () => stdin.resume(),
      () => {
        finishing = true;
        live()?.finish(listenOn);
      },
    );

    function end(code: 0 | 1): void {
      exitCode = code;
      clearTimeout(quiet);
      stdin.destroy();
      connection.stop();
      exit(code);
    }

    function stop(reason: string): void {
      if (exitCode !== undefined) return;
      report({ type: 'stopped', reason, undelivered: outbox.bytes });
      end(0);
    }

    function fail(error: string): void {
      if (exitCode !== undefined) return;
      report({ type: 'failed', error });
      end(1);
    }

    /** After the end of the input: goes on for as long as the other end has something to say. */
    function listenOn(): void {
      clearTimeout(quiet);
      if (exitCode !== undefined || stdout.writableNeedDrain) return;
      quiet = setTimeout(() => stop('end of input'), Math.min(wait, MAX_TIMER_MS));
    }

    function write(bytes: Buffer): void {
      report.output(bytes);
      if (!stdout.write(bytes)) live()?.pause();
      if (finishing) listenOn();
    }

    stdout.on('drain', () => {
      live()?.resume();
      if (finishing) listenOn();
    });
    stdout.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever reads us has enough, and need not be told so.
      if (error.code !== 'EPIPE') fail(`could not write the output: ${error.message}`);
      else if (exitCode === undefined) end(0);
    });

    actor.on('connecting', ({ attempt }) => {
      if (exitCode === undefined) report({ type: 'connecting', address: endpoint.address, attempt });
    });
    actor.on('connected', ({ attempt }) => {
      const session = live();
      if (session === undefined) return;
      wasConnected = true;
      report({ type: 'connected', address: endpoint.address, attempt });
      if (stdout.writableNeedDrain) session.pause();
      session.receive(write);
      outbox.attach(session.send);
    });
    actor.on('disconnected', ({ error, uptime }) => {
      outbox.detach();
      clearTimeout(quiet);
      if (exitCode !== undefined) return;
      // Only a viewer ends a session that did not end by itself.
      const { message, broken } = (error as SessionEnd | undefined) ?? {
        message: 'asked to by a viewer',
        broken: false,
      };
      report({ type: 'disconnected', uptime, reason: message });
      if (!outbox.isDelivered) return;
      if (finishing && broken) fail(`the connection broke after the input was sent: ${message}`);
      else stop('end of input');
    });
    actor.on('retrying', ({ attempt, delay, error }) => {
      const reason = describeError(error);
      if (exitCode === undefined) report({ type: 'retrying', attempt, delay, error: reason });
    });
    actor.on('stopped', () => stop('asked to by a viewer'));
    actor.on('failed', ({ error }) => fail(`gave up: ${describeError(error)}`));

    for (const signal of SIGNALS) {
      process.on(signal, () => (exitCode === undefined ? stop(signal) : process.exit(exitCode)));
    }
    readInput(stdin, outbox, endpoint.lines, (error) => fail(`could not read the input: ${error.message}`));
    stdin.on('end', () => {
      if (wasConnected && outbox.isDelivered && live() === undefined) stop('end of input');
    });
    actor.send({ type: 'start' });
  });
}
