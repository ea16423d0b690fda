/** What is to be sent: kept while there is no session, sent in order, and let go only once a session has taken it. */

/** Sends one piece and calls back when the system has taken it, or with what went wrong. */
export type Send = (piece: Buffer, done: (error?: Error | null) => void) => void;

/** Above this many bytes nothing more is to be put in. */
const FULL = 1024 * 1024;
/** So much is handed to a session before it has taken any. */
const WINDOW = 256 * 1024;
/** What a piece costs beside its bytes, so that a million empty lines are not for free. */
const OVERHEAD = 64;

export class Outbox {
  /** In order; the first `#underWay` of them were handed to the session. */
  readonly #pieces: Buffer[] = [];
  #underWay = 0;
  #costUnderWay = 0;
  #cost = 0;
  #bytes = 0;
  #ended = false;
  #send: Send | undefined;
  readonly #onRoom: () => void;
  readonly #onDelivered: () => void;

  /**
   * @param onRoom is called whenever the outbox is no longer full.
   * @param onDelivered is called when the input has ended and a session has taken all of it, or there was none of it.
   */
  constructor(onRoom: () => void, onDelivered: () => void) {
    this.#onRoom = onRoom;
    this.#onDelivered = onDelivered;
  }

  get isFull(): boolean {
    return this.#cost >= FULL;
  }

  /** Bytes that no session has taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the input has ended and all of it was taken. */
  get isDelivered(): boolean {
    return this.#ended && this.#pieces.length === 0;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#cost += costOf(piece);
    this.#bytes += piece.length;
    this.#pump();
  }

  /** No more will be pushed. */
  end(): void {
    this.#ended = true;
    this.#settle();
  }

  /** There is a session: sends what is there and what will come. */
  attach(send: Send): void {
    this.#send = send;
    this.#pump();
    this.#settle();
  }

  /** The session is gone: what it had not taken is sent again, in whole pieces, to the next one. */
  detach(): void {
    this.#send = undefined;
    this.#underWay = 0;
    this.#costUnderWay = 0;
  }

  #pump(): void {
    const send = this.#send;
    while (send !== undefined && this.#costUnderWay < WINDOW) {
      const piece = this.#pieces[this.#underWay];
      if (piece === undefined) return;
      this.#underWay++;
      this.#costUnderWay += costOf(piece);
      send(piece, (error) => {
        if (!error && this.#send === send) this.#taken();
      });
    }
  }

  /** The session has taken the first piece. */
  #taken(): void {
    const piece = this.#pieces.shift() as Buffer;
    const wasFull = this.isFull;
    this.#underWay--;
    this.#costUnderWay -= costOf(piece);
    this.#cost -= costOf(piece);
    this.#bytes -= piece.length;
    if (wasFull && !this.isFull) this.#onRoom();
    this.#pump();
    this.#settle();
  }

  #settle(): void {
    if (this.isDelivered && this.#send !== undefined) this.#onDelivered();
  }
}

function costOf(piece: Buffer): number {
  return piece.length + OVERHEAD;
}
