/** The outages demo, run as people run it. */
import { describe, expect, it } from 'vitest';
import { runExample } from '../support/example';

const SUMMARY = /^outages (\d+), sessions opened (\d+), sessions closed (\d+), longest downtime (\d+) ms$/mu;

describe('the outages demo', () => {
  it('stays connected through outages, closes every session once and leaves no process behind', async () => {
    const { status, stdout, stderr } = await runExample('outages', '--for', '8s');
    expect(stderr).toBe('');
    expect(status).toBe(0);

    const [outages, opened, closed, downtime] = (SUMMARY.exec(stdout) ?? []).slice(1).map(Number);
    expect(outages).toBeGreaterThanOrEqual(3);
    expect(opened).toBeGreaterThanOrEqual(2);
    expect(closed).toBe(opened);
    expect(downtime).toBeGreaterThan(0);

    // They come in this order; a slow machine reaches fewer.
    const announced = [...stdout.matchAll(/OUTAGE +\d+ \(([a-z-]+)\)/gu)].map(([, kind]) => kind);
    expect(announced).toHaveLength(outages as number);
    const kinds = ['kill', 'accept-then-close', 'hang', 'refuse'];
    expect(announced).toEqual(announced.map((_, index) => kinds[index % kinds.length]));

    expect(stdout).toContain('connect ECONNREFUSED');
    expect(stdout).toContain('the first echo came back');
    expect(stdout).toContain('closed with code 1013 (try again later): overloaded; retry in 200 ms');
    expect(stdout).toContain('closed with code 1013 (try again later): overloaded; retry in 400 ms');
    expect(stdout).not.toContain('\u001b');

    const servers = [...stdout.matchAll(/process (\d+) starts/gu)].map(([, pid]) => Number(pid));
    expect(servers.length).toBeGreaterThanOrEqual(2);
    for (const pid of servers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it.each([
    [['--for', '20'], '--for: expected a duration'],
    [['--for', '30days'], '--for: expected at most 24 days'],
    [['--fro', '20s'], "Unknown option '--fro'"],
    [['20s'], "Unexpected argument '20s'"],
  ])('says what is wrong with %j and exits 2', async (args, problem) => {
    const { status, stdout, stderr } = await runExample('outages', ...args);
    expect(stderr).toContain(problem);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});
