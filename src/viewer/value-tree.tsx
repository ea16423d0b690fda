/** Any value as a tree to open and close. What is closed is not there, so that a megabyte costs no more than a line. @jsxImportSource preact */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** How many items of a list, or fields of an object, are shown before one asks for more; and how many more then. */
const PAGE = 50;
/** How many characters of a text are shown before one asks for more; and how many more then. */
const TEXT = 240;
const MORE_TEXT = 4_000;

export function ValueTree({ value, label }: { value: unknown; label: string }): JSX.Element {
  return <div class="tree">{isBranch(value) ? <Branches value={value} label={label} /> : <Leaf value={value} />}</div>;
}

function Branches({ value, label }: { value: object; label?: string }): JSX.Element {
  const [shown, setShown] = useState(PAGE);
  const size = sizeOf(value);
  return (
    <>
      <ul aria-label={label}>
        {firstKeys(value, shown).map((key) => (
          <Field key={key} name={key} value={(value as Record<string, unknown>)[key]} />
        ))}
      </ul>
      {size > shown && (
        <button type="button" class="small" onClick={() => setShown(shown + PAGE)}>
          {Math.min(PAGE, size - shown)} more of {size.toLocaleString('en')}
        </button>
      )}
      {size === 0 && <p class="muted">nothing</p>}
    </>
  );
}

function Field({ name, value }: { name: string; value: unknown }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  if (!isBranch(value) || sizeOf(value) === 0) {
    return (
      <li>
        <span class="key">{name}</span> <Leaf value={value} />
      </li>
    );
  }
  return (
    <li>
      <button type="button" class="opener" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span class="key">{name}</span> <span class="muted">{summarize(value)}</span>
      </button>
      {isOpen && <Branches value={value} label={name} />}
    </li>
  );
}

function Leaf({ value }: { value: unknown }): JSX.Element {
  const [shown, setShown] = useState(TEXT);
  if (typeof value !== 'string')
    return <code class={`value ${typeof value}`}>{JSON.stringify(value) ?? 'undefined'}</code>;
  return (
    <>
      <code class="value string">{JSON.stringify(value.slice(0, shown))}</code>
      {value.length > shown && (
        <button type="button" class="small" onClick={() => setShown(shown + MORE_TEXT)}>
          more of {value.length.toLocaleString('en')} characters
        </button>
      )}
    </>
  );
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function sizeOf(value: object): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

function firstKeys(value: object, count: number): string[] {
  if (!Array.isArray(value)) return Object.keys(value).slice(0, count);
  return Array.from({ length: Math.min(count, value.length) }, (_, index) => String(index));
}

function summarize(value: object): string {
  if (Array.isArray(value)) return value.length === 1 ? '1 item' : `${value.length} items`;
  const { name, message } = value as { name?: unknown; message?: unknown };
  if (typeof message === 'string') return `${typeof name === 'string' ? `${name}: ` : ''}${message.slice(0, 80)}`;
  const keys = Object.keys(value);
  const some = keys.slice(0, 4).join(', ').slice(0, 60);
  return `{ ${some}${keys.length > 4 ? ', …' : ''} }`;
}
