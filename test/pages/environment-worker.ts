/** A worker that watches its environment and posts what it hears. */
import { browser } from '../../src/browser';

const stop = browser({ hidden: 'suspend' })(({ type }) => postMessage(type));
addEventListener('message', () => {
  stop?.();
  postMessage('stopped');
});
postMessage('watching');
