/** What happens, told on standard error: as lines, as one line that is rewritten, as JSON, or not at all. */
import { formatDuration } from '../../machines/duration';

export type StatusEvent =
  /** Where the connection can be seen. */
  | { type: 'viewer'; url: string }
  | { type: 'connecting'; address: string; attempt: number }
  | { type: 'connected'; address: string; attempt: number }
  /** `uptime` in ms. */
  | { type: 'disconnected'; uptime: number; reason: string }
  /** `delay` in ms, until the next attempt. */
  | { type: 'retrying'; attempt: number; delay: number; error: string }
  | { type: 'failed'; error: string }
  /** `undelivered` in bytes. */
  | { type: 'stopped'; reason: string; undelivered: number };

/** Tells of an event. */
export interface Report {
  (event: StatusEvent): void;
  /** Is told what goes to standard output, which may share the screen. */
  output(bytes: Buffer): void;
}

/** What is written to. */
export interface StatusStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type StatusFormat = 'text' | 'json' | 'none';

/**
 * Makes a report on `stream`: on a terminal a line that is rewritten and counts down, else plain lines.
 *
 * @param sharesScreen whether the output appears on the same screen.
 */
export function createReport(stream: StatusStream, format: StatusFormat, sharesScreen: boolean): Report {
  const tell = { text: stream.isTTY ? undefined : plain(stream), json: json(stream), none: () => {} }[format];
  return tell === undefined ? live(stream, sharesScreen) : Object.assign(tell, { output: () => {} });
}

function json(stream: StatusStream): (event: StatusEvent) => void {
  return ({ type, ...rest }) => stream.write(`${JSON.stringify({ type, time: new Date().toISOString(), ...rest })}\n`);
}

function plain(stream: StatusStream): (event: StatusEvent) => void {
  return (event) => stream.write(`xstate-reconnect: ${describe(event)}\n`);
}

/** How often the countdown is rewritten, in ms. */
const TICK = 250;

function live(stream: StatusStream, sharesScreen: boolean): Report {
  let countdown: NodeJS.Timeout | undefined;
  let open = false;
  let midLine = false;

  const draw = (text: string): void => {
    // What the output has begun to say must not be wiped away.
    if (!open && midLine) stream.write('\n');
    open = true;
    midLine = false;
    // A line that is too long would wrap, and could not be rewritten.
    stream.write(`\r\u001b[2K${text.slice(0, (stream.columns || 80) - 1)}`);
  };
  const keep = (text: string): void => {
    draw('');
    stream.write(`${text}\n`);
    open = false;
  };

  const countDown = (event: StatusEvent & { type: 'retrying' }): void => {
    const until = performance.now() + event.delay;
    const tick = (): void => {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1_000));
      draw(`next attempt in ${formatDuration(left * 1_000)}: ${describeFailure(event)}`);
    };
    tick();
    countdown = setInterval(tick, TICK);
  };

  const report = (event: StatusEvent): void => {
    clearInterval(countdown);
    if (event.type === 'connecting') draw(describe(event));
    else if (event.type === 'retrying') countDown(event);
    else keep(describe(event));
  };
  return Object.assign(report, {
    output: (bytes: Buffer) => {
      midLine = sharesScreen && bytes.at(-1) !== 0x0a;
    },
  });
}

function describe(event: StatusEvent): string {
  switch (event.type) {
    case 'viewer':
      return `viewer at ${event.url}`;
    case 'connecting':
      return `connecting to ${event.address} (attempt ${event.attempt})`;
    case 'connected':
      return `connected to ${event.address}`;
    case 'disconnected':
      return `disconnected after ${roundedDuration(event.uptime)}: ${readable(event.reason)}`;
    case 'retrying':
      return `${describeFailure(event)}; next attempt in ${roundedDuration(event.delay)}`;
    case 'failed':
      return readable(event.error);
    case 'stopped': {
      const rest = event.undelivered === 0 ? '' : `; ${event.undelivered} bytes of input were not sent`;
      return `stopped: ${event.reason}${rest}`;
    }
  }
}

function describeFailure({ attempt, error }: { attempt: number; error: string }): string {
  return `attempt ${attempt} failed: ${readable(error)}`;
}

function roundedDuration(ms: number): string {
  return formatDuration(Math.round(ms));
}

/** Without control characters: some of the words are the other end's, and must not steer the terminal. */
function readable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
