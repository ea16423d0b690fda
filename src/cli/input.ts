/** Standard input, as the pieces that are sent: as it comes, or a line at a time. */
import type { Readable } from 'node:stream';
import type { Outbox } from './outbox';

const NEWLINE = 0x0a;

/**
 * Fills `outbox` from `stream`, pausing while it is full.
 *
 * @param lines whether each line, without its line feed, is a piece of its own; a last one without a line feed counts too.
 * @param onError is told why the stream cannot be read.
 */
export function readInput(stream: Readable, outbox: Outbox, lines: boolean, onError: (error: Error) => void): void {
  const splitter = new LineSplitter((line) => outbox.push(line));
  stream.on('data', (chunk: Buffer) => {
    if (lines) splitter.write(chunk);
    else outbox.push(chunk);
    if (outbox.isFull) stream.pause();
  });
  stream.on('end', () => {
    splitter.end();
    outbox.end();
  });
  stream.on('error', onError);
}

/** Cuts bytes into lines. A line is held until its line feed comes, however long it is. */
class LineSplitter {
  #start: Buffer[] = [];
  readonly #take: (line: Buffer) => void;

  constructor(take: (line: Buffer) => void) {
    this.#take = take;
  }

  write(chunk: Buffer): void {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
      this.#flush(chunk.subarray(at, end));
      at = end + 1;
    }
    if (at < chunk.length) this.#start.push(chunk.subarray(at));
  }

  end(): void {
    if (this.#start.length > 0) this.#flush(Buffer.alloc(0));
  }

  #flush(rest: Buffer): void {
    const line = this.#start.length === 0 ? rest : Buffer.concat([...this.#start, rest]);
    this.#start = [];
    this.#take(line);
  }
}
