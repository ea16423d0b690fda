/** A page with a component that keeps a connection, in StrictMode, and keeps what it sees. A test calls what is global here. */
import { Activity, Component, type ReactNode, StrictMode, useEffect, useState } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { Banner } from '../../examples/react/banner';
import type { ConnectArgs } from '../../src/index';
import { type UseReconnectOptions, useReconnect } from '../../src/react';
import { type WebSocketSession, websocket } from '../../src/websocket';

type Input = { url: string } | undefined;

interface Props extends Partial<UseReconnectOptions<WebSocketSession, Input>> {
  /** Where to connect to when `input` does not say. */
  url: string;
  /** As React hides a part of a page that is not shown just now. */
  hidden?: boolean;
}

/** What was shown, one after the other, without repetitions. */
const views: { status: string; notice: string; countdown: number | undefined }[] = [];
/** What the server said. */
const heard: string[] = [];
/** How often the component was shown. */
let commits = 0;
/** Each change of the banner. */
const banners: string[] = [];

function Connection({ url, hidden, ...options }: Props) {
  const { session, error, start, stop, ...view } = useReconnect<WebSocketSession, Input>({
    connect: (attempt: ConnectArgs<Input>) => websocket<Input>(attempt.input?.url ?? url)(attempt),
    input: undefined,
    ...options,
  });
  const { status, notice, countdown } = view;

  useEffect(() => {
    commits += 1;
    Object.assign(globalThis, { error: error instanceof Error ? error.message : error, connection: view.connection });
  });
  useEffect(() => {
    const last = views.at(-1);
    if (last?.status === status && last.notice === notice && last.countdown === countdown) return;
    views.push({ status, notice, countdown });
  }, [status, notice, countdown]);
  useEffect(() => {
    const listen = ({ data }: MessageEvent<string>): void => void heard.push(data);
    session?.socket.addEventListener('message', listen);
    return () => session?.socket.removeEventListener('message', listen);
  }, [session]);
  // They stay what they were at the first render, before there was a connection.
  const [actions] = useState({ start, stop });
  Object.assign(globalThis, actions);

  return <Banner {...view} />;
}

class Boundary extends Component<{ children: ReactNode }, { problem?: string }> {
  override state: { problem?: string } = {};

  static getDerivedStateFromError(error: Error) {
    return { problem: `${error.name}: ${error.message}` };
  }

  override render() {
    return this.state.problem ?? this.props.children;
  }
}

const element = document.body.appendChild(document.createElement('div'));
new MutationObserver(() => banners.push(element.textContent ?? '')).observe(element, {
  subtree: true,
  childList: true,
  characterData: true,
  attributes: true,
});
let root: Root | undefined;

/** Mounts the component, or renders it again, with other properties. */
function render(props: Props): void {
  root ??= createRoot(element);
  root.render(
    <StrictMode>
      <Boundary>
        <Activity mode={props.hidden ? 'hidden' : 'visible'}>
          <Connection {...props} />
        </Activity>
      </Boundary>
    </StrictMode>,
  );
}

function unmount(): void {
  root?.unmount();
  root = undefined;
}

Object.assign(globalThis, { views, heard, banners, render, unmount, commits: () => commits });
