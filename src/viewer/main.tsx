/** The viewer's page: from what the app says to what is on the screen, a frame at a time. @jsxImportSource preact */
import { render } from 'preact';
import { decodeMessage } from '../inspect';
import { App } from './app';
import type { LinkState } from './link';
import { Model } from './model';
import { openLink } from './open-link';
import './styles/index.css';

const root = document.querySelector('#viewer')!;
let linkState: LinkState = { kind: 'connecting' };
/** What the app said that could not be read, if it did. */
let problem: string | undefined;
let drawing = false;

/** However much is told within a frame, it is drawn once. */
function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    render(<App model={model} actors={model.actors} link={link} linkState={linkState} problem={problem} />, root);
  });
}

const model = new Model(draw);
const link = openLink({
  message(data) {
    try {
      const message = decodeMessage(data);
      if (message !== undefined) model.apply(message, performance.now());
    } catch (error) {
      problem = (error as Error).message;
      draw();
    }
  },
  state(state) {
    if (linkState.kind === 'connected' && state.kind !== 'connected') model.lose(performance.now());
    linkState = state;
    draw();
  },
});
