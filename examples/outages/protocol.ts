/** What the demo and its server process say to each other over the IPC channel. */

/** How the server treats whoever dials it. */
export type Mode =
  /** Accepts, and sends every message back. */
  | 'echo'
  /** Takes the TCP connection and never answers the upgrade. */
  | 'hang'
  /** Completes the handshake and closes at once. */
  | 'accept-then-close';

/** Demo to server: cut every line, and treat the next callers like this. */
export interface ModeRequest {
  mode: Mode;
}

/** Server to demo: listening. */
export interface ServerReady {
  port: number;
}
