/** The rules of the environment for a whole connection, in a real Chromium and against a real server that counts the dials. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type KeptPage, listen, useKeptPages } from './support/kept-pages';
import { blink, freeze, hide, sayOnline, show, thaw } from './support/page-life';

const pages = useKeptPages();

describe('offline', () => {
  it('I1 I2 offline while backing off blocks nothing: what says so lies, and the next attempt succeeds', async () => {
    pages.server.treat({ kind: 'hang-up' });
    const kept = await pages.open();
    await kept.keep({ backoff: { initial: 100, max: 100, timeout: 0 } });
    await pages.server.nextDial();
    await sayOnline(kept.page, false);
    await kept.becomes({ context: { online: false } });
    pages.server.treat({ kind: 'serve' });
    await kept.becomes({ value: 'connected', context: { online: false } });
    expect(await kept.page.evaluate('navigator.onLine')).toBe(false);
    expect(new Set(await kept.attempts())).toEqual(new Set(['start', 'backoff']));
  });

  it('I1 online cuts a wait of an hour: one dial', async () => {
    const kept = await pages.backOff();
    await blink(kept.page);
    await kept.reconnects(3);
    expect(await kept.attempts()).toEqual(['start', 'backoff', 'online']);
  });

  it('I1 where the network was really gone, attempts failed, and online is one dial', async () => {
    const { kept, dial } = await pages.connect();
    await kept.page.setOfflineMode(true);
    dial.hangUp();
    // Those attempts never got as far as the server.
    await kept.becomes({ value: 'backingOff', context: { wait: 3_600_000, online: false } });
    await kept.page.setOfflineMode(false);
    await kept.reconnects(2);
    expect(await kept.attempts()).toEqual(['start', 'closed', 'backoff', 'online']);
  });

  it('I1 C2 a burst of offline and online is one dial', async () => {
    const kept = await pages.backOff();
    for (let count = 0; count < 10; count++) await blink(kept.page);
    const { heard } = await kept.reconnects(3);
    await blink(kept.page);
    await kept.works(heard);
    expect(await kept.attempts()).toEqual(['start', 'backoff', 'online']);
    expect(pages.server.dials.length).toBe(3);
  });

  it('I6 online while dialing makes no second dial', async () => {
    pages.server.treatNext({ kind: 'silence', after: 0 });
    const kept = await pages.open();
    await kept.keep();
    const stalled = await pages.server.nextDial();
    await sayOnline(kept.page, false);
    await kept.becomes({ value: 'connecting', context: { online: false } });
    await sayOnline(kept.page, true);
    await kept.becomes({ value: 'connecting', context: { online: true } });
    stalled.hangUp();
    await kept.reconnects(2);
    expect(await kept.attempts()).toEqual(['start', 'backoff']);
  });

  it('I5 offline and online probe a session that looks open: one that answers is kept', async () => {
    const { kept, heard } = await pages.connect();
    for (const online of [false, true]) {
      await sayOnline(kept.page, online);
      expect(await heard.next()).toBe('ping');
    }
    await kept.works(heard);
    await kept.hasUp(1);
    expect(await kept.attempts()).toEqual(['start']);
  });

  it('I5 online finds a session whose server answers no more, closes it and makes another', async () => {
    const { kept, dial } = await pages.connect({ within: '3s' });
    (await dial.session).removeAllListeners('message');
    await blink(kept.page);
    await kept.reconnects(2);
    expect(await kept.attempts()).toEqual(['start', 'half-open']);
  });
});

describe('freeze and resume', () => {
  it('I3 a frozen page does not dial, whatever happens; it does when it runs again, once', async () => {
    const kept = await pages.backOff();
    await freeze(kept.page);
    await kept.becomes({ value: 'backingOff', context: { suspended: true } });
    await blink(kept.page);
    await wait(2_000);
    expect(pages.server.dials.length).toBe(2);
    await thaw(kept.page);
    await kept.reconnects(3);
    expect((await kept.attempts()).length).toBe(3);
  });

  // Chromium closes the WebSockets of a page that was frozen, when it runs again.
  it.each([
    ['that works', false],
    ['whose server went silent meanwhile', true],
  ])('I5 a page that was frozen with a session %s has one that works, and one only', async (_, goesSilent) => {
    const { kept, dial } = await pages.connect({ within: '3s' });
    await freeze(kept.page);
    await kept.becomes({ context: { suspended: true } });
    if (goesSilent) dial.silence();
    await thaw(kept.page);
    const next = await pages.server.nextDial();
    await dial.ended;
    dial.hangUp();
    await kept.works(await listen(next));
    await kept.hasUp(2);
  });
});

describe('the back/forward cache', () => {
  it('I3 a page that comes back connects again by itself, each time', async () => {
    const { kept } = await pages.connect();
    for (let round = 1; round <= 3; round++) {
      await kept.leave();
      await kept.comeBack();
      await kept.reconnects(1 + round);
    }
  });

  it('I3 a page that was left while it waited for an hour does not dial, and does when it comes back', async () => {
    const kept = await pages.backOff();
    await kept.leave();
    await wait(1_000);
    expect(pages.server.dials.length).toBe(2);
    await kept.comeBack();
    await kept.reconnects(3);
    expect(await kept.attempts()).toEqual(['start', 'backoff', 'resume']);
  });

  it('I3 a page that was left while it dialed is not latched off when it comes back', async () => {
    pages.server.treatNext({ kind: 'silence', after: 0 });
    const kept = await pages.open();
    await kept.keep();
    const stalled = await pages.server.nextDial();
    await kept.leave();
    await kept.comeBack();
    await stalled.ended;
    stalled.hangUp();
    await kept.reconnects(2);
  });
});

describe('a manual stop', () => {
  /** All that makes a connection dial that was not stopped. Leaves the page visible. */
  async function stir(kept: KeptPage): Promise<void> {
    const { page } = kept;
    await blink(page);
    await hide(page);
    await show(page);
    await freeze(page);
    await thaw(page);
    await kept.leave();
    await kept.comeBack();
    await hide(page);
    await show(page);
    await blink(page);
  }

  it.each([
    ['connected', async () => (await pages.connect()).kept, 2],
    ['backing off', () => pages.backOff(), 3],
  ])('I4 is not undone by online, resume, pageshow and becoming visible: %s', async (_, begin, next) => {
    const kept = await begin();
    await kept.page.evaluate('connection.stop()');
    await kept.hasUp();
    await stir(kept);
    expect(await kept.page.evaluate('connection.snapshot.value')).toBe('idle');
    // Another connection of the same page dials, and nobody else.
    await kept.keep();
    await kept.reconnects(next);
  });

  it('I4 nor is one that the actor was sent while hidden; after the next start nothing of the past counts, and all of it again', async () => {
    const kept = await pages.backOff({ hidden: 'suspend' });
    await hide(kept.page);
    await kept.becomes({ context: { suspended: true } });
    await kept.page.evaluate(`connection.actor.send({ type: 'stop' })`);
    await stir(kept);
    expect(await kept.page.evaluate('connection.snapshot.value')).toBe('idle');
    pages.server.treatNext({ kind: 'hang-up' }, { kind: 'hang-up' });
    await kept.page.evaluate(`connection.actor.send({ type: 'start' })`);
    await kept.backsOff();
    await blink(kept.page);
    await kept.reconnects(5);
    expect(await kept.attempts()).toEqual(['start', 'backoff', 'start', 'backoff', 'online']);
  });
});

describe('a background tab', () => {
  it('I3 I5 reconnects by default, and probes when it becomes visible', async () => {
    const { kept, dial } = await pages.connect();
    await hide(kept.page);
    dial.hangUp();
    const { heard } = await kept.reconnects(2);
    expect(await kept.page.evaluate('document.visibilityState')).toBe('hidden');
    await show(kept.page);
    expect(await heard.next()).toBe('ping');
    await kept.works(heard);
    await kept.hasUp(2);
    expect(await kept.attempts()).toEqual(['start', 'closed']);
  });

  it('I5 B7 becoming visible finds a half-open session and makes another, which the end of the old one does not touch', async () => {
    const { kept, dial } = await pages.connect({ within: '3s' });
    await hide(kept.page);
    dial.silence();
    await show(kept.page);
    const next = await pages.server.nextDial();
    const heard = await listen(next);
    await kept.works(heard);
    // A page cannot end a socket whose peer says no goodbye: Chromium takes a minute for it.
    dial.hangUp();
    await blink(kept.page);
    expect(await heard.next()).toBe('ping');
    await kept.hasUp(2);
    expect(await kept.attempts()).toEqual(['start', 'half-open']);
  });

  it('I3 becoming visible cuts a wait of an hour', async () => {
    const kept = await pages.backOff();
    await hide(kept.page);
    await show(kept.page);
    await kept.reconnects(3);
    expect(await kept.attempts()).toEqual(['start', 'backoff', 'resume']);
  });

  it('I3 with hidden: suspend stays connected while hidden, but does not dial before it becomes visible', async () => {
    const { kept, dial } = await pages.connect({ hidden: 'suspend' });
    await hide(kept.page);
    await kept.becomes({ value: 'connected', context: { suspended: true } });
    dial.hangUp();
    await kept.becomes({ value: 'backingOff', context: { waitReason: 'suspended' } });
    await blink(kept.page);
    await wait(2_000);
    await kept.becomes({ value: 'backingOff', context: { waitReason: 'suspended' } });
    expect(pages.server.dials.length).toBe(1);
    await show(kept.page);
    await kept.reconnects(2);
    expect(await kept.attempts()).toEqual(['start', 'resume']);
  });

  it('I3 with hidden: suspend and started while hidden makes the first attempt, and no other before it becomes visible', async () => {
    pages.server.treatNext({ kind: 'hang-up' });
    const kept = await pages.open();
    await hide(kept.page);
    await kept.keep({ hidden: 'suspend' });
    await pages.server.nextDial();
    await kept.becomes({ value: 'backingOff', context: { waitReason: 'suspended' } });
    await wait(2_000);
    expect(pages.server.dials.length).toBe(1);
    await show(kept.page);
    await kept.reconnects(2);
    expect(await kept.attempts()).toEqual(['start', 'resume']);
  });
});
