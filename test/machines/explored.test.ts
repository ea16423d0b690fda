/** What the explorer found in the chart, as the shortest paths there: each was a promise that did not hold. */
import { describe, expect, it } from 'vitest';
import { play } from '../support/play';
import '../support/unhandled';

const HANGS = { connectMs: Number.POSITIVE_INFINITY };
const REFUSED = { error: new Error('refused') };
const MADE = {};
const strict = { timeout: '10s', deadline: 'strict' } as const;

describe('D1 a strict deadline where the environment comes and goes', () => {
  it('D1 an attempt that is begun without a network hangs no longer than a window is long, also once there is one', async () => {
    const run = play([HANGS, HANGS], { backoff: strict, autoStart: false });
    run.actor.start();
    run.actor.send({ type: 'offline' });
    run.actor.send({ type: 'start' });
    await run.clock.advance(4_000);
    run.actor.send({ type: 'online' });
    await run.clock.advance(5_999);
    expect(run.value()).toBe('connecting');
    await run.clock.advance(1);
    expect(run.context()).toMatchObject({ waitReason: 'attempt-timeout', gaveUp: undefined });
    // The window that began with the network has 4s left: one wait, and what remains for the second attempt.
    await run.clock.advance(4_000);
    expect(run.dials()).toEqual([0, 11_000]);
    expect(run.value()).toBe('failed');
    run.actor.stop();
  });

  it('D1 a window that is opened anew in the very millisecond of a dial is not over with the old one', async () => {
    const run = play([REFUSED, HANGS], { backoff: strict });
    run.actor.start();
    await run.clock.advance(1_000);
    run.actor.send({ type: 'wake' });
    await run.clock.advance(9_000);
    expect(run.value()).toBe('backingOff');
    run.actor.stop();
  });
});

describe('restoring', () => {
  it('D2 a wait that was begun while no window ran is cut to the window that begins', async () => {
    const backoff = { ...strict, initial: '1m' };
    const saved = play([REFUSED], { backoff, autoStart: false });
    saved.actor.start();
    saved.actor.send({ type: 'suspend' });
    saved.actor.send({ type: 'start' });
    await saved.clock.settle();
    expect(saved.context()).toMatchObject({ wait: 60_000 });
    const snapshot: unknown = JSON.parse(JSON.stringify(saved.actor.getPersistedSnapshot()));
    saved.actor.stop();
    const run = play([MADE], { backoff, snapshot });
    run.actor.start();
    expect(run.context()).toMatchObject({ wait: 10_000, retryAt: 10_000 });
    await run.clock.advance(10_000);
    expect(run.context()).toMatchObject({ gaveUp: 'timeout' });
    run.actor.stop();
  });
});

describe('a wait that the server asked for, cut to a window that is then no more', () => {
  const hurried = { backoff: strict, classify: () => ({ retryAfter: '30s' }) } as const;

  it('A3 it is not over with the window it was cut to, where another one was opened', async () => {
    const run = play([REFUSED, REFUSED, MADE], { ...hurried, backoff: { ...strict, timeout: '40s' } });
    run.actor.start();
    await run.clock.advance(30_000);
    expect(run.context()).toMatchObject({ attempt: 2, waitReason: 'retry-after', retryAt: 40_000, wait: 10_000 });
    await run.clock.advance(5_000);
    run.actor.send({ type: 'wake' });
    await run.clock.advance(5_000);
    expect(run.context()).toMatchObject({ attempt: 2, waitReason: 'retry-after', retryAt: 60_000, wait: 30_000 });
    await run.clock.advance(20_000);
    expect(run.dials()).toEqual([0, 30_000, 60_000]);
    run.actor.stop();
  });

  it('A3 nor where it was held meanwhile: who resumes is not sooner than the server asked for', async () => {
    const run = play([REFUSED, MADE], { ...hurried, backoff: { ...strict, timeout: '20s' } });
    run.actor.start();
    await run.clock.advance(1_000);
    run.actor.send({ type: 'suspend' });
    await run.clock.advance(20_000);
    run.actor.send({ type: 'resume' });
    expect(run.context()).toMatchObject({ waitReason: 'retry-after', retryAt: 30_000 });
    await run.clock.advance(60_000);
    expect(run.dials()).toEqual([0, 30_000]);
    run.actor.stop();
  });
});

describe('I suspend', () => {
  it('H what a source said as it was left holds nothing after the next start', async () => {
    let isFrozen = true;
    const run = play([HANGS, REFUSED, MADE], {
      autoStart: false,
      environment(send) {
        if (!isFrozen) return;
        // Stopped while the source is being asked: what it says then comes after the stop.
        run.actor.send({ type: 'stop' });
        send({ type: 'suspend' });
      },
    });
    run.actor.start();
    run.actor.send({ type: 'start' });
    expect(run.value()).toBe('idle');
    isFrozen = false;
    run.actor.send({ type: 'start' });
    await run.clock.advance(1_000);
    expect(run.dials()).toEqual([0, 0, 1_000]);
    expect(run.value()).toBe('connected');
    run.actor.stop();
  });
});
