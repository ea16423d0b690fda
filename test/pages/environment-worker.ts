/** A worker that watches its environment and posts what it hears. */
import { browser } from '../../src/browser';

browser({ hidden: 'suspend' })(({ type }) => postMessage(type));
postMessage('watching');
