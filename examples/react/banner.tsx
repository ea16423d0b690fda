/** What a person is told about the connection. Short drops are not worth a word. */
import type { ReactReconnection } from '../../src/react';

const TEXTS = {
  quiet: '',
  lost: 'The connection is lost.',
  restored: 'The connection is back.',
  failed: 'The server cannot be reached.',
};

type Props = Pick<ReactReconnection<unknown, unknown>, 'notice' | 'countdown' | 'status' | 'retry'>;

export function Banner({ notice, countdown, status, retry }: Props) {
  return (
    <div className="banner" data-notice={notice}>
      {/* Always there, so that a change is read out; the countdown is not part of it, or every second would be. */}
      <p role="status" aria-live="polite">
        {TEXTS[notice]}
      </p>
      {(notice === 'lost' || notice === 'failed') && (
        <>
          {countdown !== undefined && <span>Next try in {countdown} s</span>}
          {status === 'connecting' && <span>Trying …</span>}
          <button type="button" onClick={retry}>
            Try now
          </button>
        </>
      )}
    </div>
  );
}
