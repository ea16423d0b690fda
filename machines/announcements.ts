/** What the chart tells the world with `emit`. */
import { type AnyChartEvent, failureIn, isRotation } from './events';
import type { Facts, ReconnectEmitted } from './vocabulary';

type Moment = { context: Facts; event: AnyChartEvent };

export const announceConnecting = ({ context: { attempt, reason } }: Moment): ReconnectEmitted => ({
  type: 'connecting',
  attempt,
  reason: reason ?? 'start',
});

export const announceConnected = ({ context: { attempt }, event }: Moment): ReconnectEmitted =>
  isRotation(event) ? { type: 'rotated' } : { type: 'connected', attempt };

export const announceDisconnected = ({ event }: Moment, uptime: number): ReconnectEmitted => ({
  type: 'disconnected',
  error: failureIn(event)?.error,
  uptime,
});

export const announceRetrying = ({ context: { wait, attempt, failure, waitReason } }: Moment): ReconnectEmitted => ({
  type: 'retrying',
  delay: wait,
  attempt,
  error: failure?.error,
  reason: waitReason ?? 'connect-failed',
});

export const announceFailed = ({ context: { failure } }: Moment): ReconnectEmitted => ({
  type: 'failed',
  error: failure?.error,
});
