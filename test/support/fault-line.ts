/** One TCP connection as a server sees it, with a gate in it that can go silent or slow. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Ends the head of an HTTP answer, and so a WebSocket handshake. */
const END_OF_HEAD = '\r\n\r\n';

/**
 * Stands between a raw socket and the HTTP server that answers on it. Once silent, the TCP connection stays up and neither side
 * hears from the other: what the server sends is swallowed, what the client sends is read and dropped.
 */
export class Line extends Duplex {
  readonly #raw: Socket;
  /** Bytes the client may still be sent. */
  #left = Number.POSITIVE_INFINITY;
  #silentAfterHead = false;
  #silent = false;
  #delay = 0;
  #ends: () => void = () => {};

  /** Resolves when the client has ended the connection, with or without a goodbye. Noticed even when silent. */
  readonly ended = new Promise<void>((resolve) => {
    this.#ends = resolve;
  });

  /** `raw` must have been accepted with `allowHalfOpen`, or Node would answer the client's goodbye. */
  constructor(raw: Socket) {
    super();
    this.#raw = raw;
    raw.on('data', (chunk) => {
      if (!this.#silent && !this.push(chunk)) raw.pause();
    });
    raw.on('end', () => {
      this.#ends();
      if (!this.#silent) this.push(null);
    });
    // A client that resets its connection is part of the tests.
    raw.on('error', () => {});
    raw.on('close', () => {
      this.#ends();
      this.destroy();
    });
  }

  /** Goes silent after so many more bytes of answer, or right after the head of the answer. */
  silenceAfter(bytes: number | 'handshake'): void {
    if (bytes === 'handshake') this.#silentAfterHead = true;
    else this.#left = bytes;
  }

  /** Goes silent now. */
  silence(): void {
    this.#left = 0;
    this.#silent = true;
    // A paused socket would not notice that the client has gone.
    this.#raw.resume();
  }

  /** From now on holds back each piece of the answer for `ms`. */
  delay(ms: number): void {
    this.#delay = ms;
  }

  /** Resets the TCP connection: the client sees ECONNRESET. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Ends the TCP connection, however silent it is. */
  hangUp(): void {
    this.#raw.destroy();
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const send = (): void => {
      const end = this.#silentAfterHead ? chunk.indexOf(END_OF_HEAD) : -1;
      const allowed = chunk.subarray(0, end === -1 ? this.#left : end + END_OF_HEAD.length);
      this.#left -= allowed.length;
      if (this.#left === 0 || end !== -1) this.silence();
      if (allowed.length === 0) done();
      else this.#raw.write(allowed, () => done());
    };
    if (this.#delay === 0) send();
    else setTimeout(send, this.#delay).unref();
  }

  override _final(done: () => void): void {
    if (this.#left > 0) this.#raw.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#left > 0) this.#raw.destroy();
    done(error);
  }
}
