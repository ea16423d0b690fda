import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tcpServer } from './support/servers';

const HOUR = 3_600_000;

describe('saved as JSON in one process and restored in another', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));

  /** Runs a program and returns the JSON it prints. */
  async function run(program: string, ...args: string[]): Promise<Record<string, unknown>> {
    const prelude = `
      import { reconnect } from './src/index.ts';
      import { tcp } from './src/tcp.ts';
      const [port, snapshot] = process.argv.slice(1).map((text) => JSON.parse(text));
      const connect = tcp({ host: '127.0.0.1', port });
    `;
    const node = ['--import', 'tsx', '--input-type=module', '--eval', prelude + program, '--', ...args];
    const { stdout } = await promisify(execFile)(process.execPath, node, { cwd: root, timeout: 50_000 });
    return JSON.parse(stdout);
  }

  it('connected connects again', async () => {
    const { port, peers } = await tcpServer();
    const saved = await run(
      `const connection = reconnect({ connect });
       await connection.connected();
       console.log(JSON.stringify(connection.actor.getPersistedSnapshot()));
       process.exit();`,
      String(port),
    );
    expect(saved).toMatchObject({ value: 'connected' });
    await peers.next();
    const summary = await run(
      `const connection = reconnect({ connect, snapshot });
       await connection.connected();
       console.log(JSON.stringify(connection.summary()));
       connection.stop();`,
      String(port),
      JSON.stringify(saved),
    );
    expect(summary).toMatchObject({ state: 'connected', reason: 'restore', attempt: 1, sessions: 2 });
    await peers.next();
  });

  it('backing off waits what is left, and the process does not end before', async () => {
    const { port, kill } = await tcpServer();
    await kill();
    const saved = await run(
      `const connection = reconnect({ connect, backoff: { initial: '1h' } });
       connection.actor.on('retrying', () => setTimeout(() => {
         console.log(JSON.stringify(connection.actor.getPersistedSnapshot()));
         process.exit();
       }, 50));`,
      String(port),
    );
    expect(saved).toMatchObject({ value: 'backingOff' });
    const restore = `
      const connection = reconnect({ connect, snapshot, backoff: { initial: '1h' } });
      const summary = connection.summary();
      connection.actor.on('connecting', ({ reason }) => console.log(JSON.stringify({ ...summary, then: reason })));
      connection.actor.on('retrying', () => connection.stop());
    `;
    // An hour has not passed yet: it would wait for the rest of it.
    const waiting = await run(
      `${restore} connection.stop(); console.log(JSON.stringify(summary));`,
      String(port),
      JSON.stringify(saved),
    );
    const retryIn = waiting['retryIn'] as number;
    expect(retryIn).toBeGreaterThan(0);
    expect(retryIn).toBeLessThanOrEqual(HOUR - 50);
    expect(waiting).toMatchObject({ state: 'backingOff', attempt: 1, lastError: { name: 'TcpConnectError' } });
    // As if it had.
    const times = saved['saved'] as { now: number; wall: number };
    const older = { ...saved, saved: { ...times, wall: times.wall - HOUR + 200 } };
    const tried = await run(restore, String(port), JSON.stringify(older));
    expect(tried).toMatchObject({ state: 'backingOff', attempt: 1, then: 'backoff' });
    expect(tried['retryIn'] as number).toBeLessThanOrEqual(150);
  });
});
